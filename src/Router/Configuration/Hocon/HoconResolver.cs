using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Router.Configuration.Hocon;

/// <summary>Turns nodes into values: substitutions, joins, merge stacks.</summary>
/// <remarks>
/// Evaluation is lazy, per field. A substitution looks forward to the final value of its path. When that value is
/// just being evaluated, it looks back: only the entries below the one in evaluation count. When there are none, but a
/// field met on the way round has some, that field looks back instead, so that the outcome does not depend on which
/// field is asked for first. Otherwise the substitution is undefined. Each occurrence is evaluated once; the first
/// answer to be complete, which is the one that looked back furthest, stays.
/// </remarks>
internal sealed partial class HoconResolver
{
    private readonly LazyObject _root;
    private readonly Func<string, string?> _environment;
    private readonly Dictionary<HoconNode, LazyValue?> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(IReadOnlyList<ObjectNode>, bool), LazyObject> _objects = new(new LayersComparer());
    private readonly Dictionary<SubstitutionNode, LazyField> _targets = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<SubstitutionNode> _dropped;
    private readonly List<Frame> _frames = [];
    private long _budget = HoconLimits.Weight;
    private int _depth;

    private HoconResolver(
        IReadOnlyList<ObjectNode> layers, Func<string, string?> environment, HashSet<SubstitutionNode> dropped)
    {
        _root = ObjectOf(layers, coversOther: false);
        _environment = environment;
        _dropped = dropped;
    }

    /// <param name="layers">Whole configurations, lowest first; none is changed.</param>
    /// <param name="environment">Answers null for a variable that is not set.</param>
    /// <remarks>
    /// An optional substitution that makes a value contain itself is undefined, wherever it is looked at from. That it
    /// does so is found out on the way, when others have seen it defined: so then all begins anew without it.
    /// </remarks>
    public static HoconObject Resolve(IReadOnlyList<ObjectNode> layers, Func<string, string?> environment)
    {
        var dropped = new HashSet<SubstitutionNode>();
        for (var pass = 1; pass <= HoconLimits.Passes; pass++)
        {
            var before = dropped.Count;
            try
            {
                var root = new HoconResolver(layers, environment, dropped).ResolveRoot(layers[^1].Origin);
                if (dropped.Count == before)
                {
                    return root;
                }
            }
            catch (HoconException) when (dropped.Count > before)
            {
                // Perhaps only because it was dropped too late.
            }
        }

        throw new HoconException(dropped.Last().Origin, "too many cycles of optional substitutions");
    }

    private HoconObject ResolveRoot(HoconOrigin origin)
    {
        try
        {
            var root = ResolveObject(_root, origin);
            return root.Weight <= HoconLimits.Weight ? root : throw TooBig(root.Origin);
        }
        catch (CycleSignal cycle)
        {
            throw new HoconException(cycle.Origin, "this value contains itself: a cycle of substitutions");
        }
    }

    /// <summary>A field's value, of its <paramref name="count"/> lowest entries; null is undefined.</summary>
    private LazyValue? EvaluateBelow(LazyField field, int count)
    {
        if (count > HoconLimits.LongStack && !field.TryGetValue(count - 1, out _))
        {
            Climb(field, count);
        }

        var objects = new List<LazyObject>(1);
        LazyValue? other = null;
        var lookedBack = false;
        for (var i = count; i > 0 && other is null; i--)
        {
            // Once the value of all entries up to here is known, none of them needs to be looked at again.
            var back = false;
            var isKnown = field.TryGetValue(i, out var value);
            if (!isKnown)
            {
                (value, back) = EvaluateEntry(field, i - 1);
            }

            lookedBack |= back;
            if (value is not null && objects.Count == 0 && !isKnown)
            {
                field.Decider = i - 1;
            }

            if (value is LazyObject lower)
            {
                objects.Add(lower);
            }
            else
            {
                other = value;
            }

            if (isKnown)
            {
                break;
            }
        }

        var result = objects.Count == 0
            ? other
            : Merge(objects, other is not null || objects[^1].CoversOther, field.Entries[count - 1].KeyOrigin);
        if (!lookedBack)
        {
            field.Keep(count, result);
        }

        return result;
    }

    /// <summary>
    /// Thousands of entries that each look back to the one below would nest as deep; from the lowest up they do not.
    /// </summary>
    private void Climb(LazyField field, int count)
    {
        var start = count;
        while (start > 0 && LooksBack(field.Entries[start - 1].Value, field.Name))
        {
            start--;
        }

        for (var i = Math.Max(start, 1); i < count && !field.CannotClimb; i++)
        {
            try
            {
                EvaluateBelow(field, i);
            }
            catch (HoconException)
            {
                // What is wrong below may be hidden above.
                field.CannotClimb = true;
            }

            field.CannotClimb |= !field.TryGetValue(i, out _);
        }
    }

    /// <summary>Whether a value mentions a path that ends in the field's name: probably the field itself.</summary>
    private static bool LooksBack(HoconNode node, string name) => node switch
    {
        SubstitutionNode substitution => substitution.Path[^1] == name,
        JoinNode join => join.Pieces.Any(p => LooksBack(p, name)),
        _ => false,
    };

    /// <summary>
    /// Objects over each other, topmost first. A layer that is in several counts once, at its upper place.
    /// </summary>
    private LazyObject Merge(List<LazyObject> objects, bool coversOther, HoconOrigin origin)
    {
        while (objects.Count > 1 && ReferenceEquals(objects[^2].Base, objects[^1]))
        {
            objects.RemoveAt(objects.Count - 1);
        }

        if (objects.Count == 1 && objects[0].CoversOther == coversOther)
        {
            return objects[0];
        }

        var seen = new HashSet<ObjectNode>();
        var layers = new List<ObjectNode>();
        foreach (var own in objects.Select(o => o.Layers))
        {
            Spend(origin, own.Count);
            for (var i = own.Count - 1; i >= 0; i--)
            {
                if (seen.Add(own[i]))
                {
                    layers.Add(own[i]);
                }
            }
        }

        layers.Reverse();
        var merged = ObjectOf([.. layers], coversOther);
        merged.Base ??= objects[^1];
        return merged;
    }

    private LazyObject ObjectOf(IReadOnlyList<ObjectNode> layers, bool coversOther)
    {
        if (!_objects.TryGetValue((layers, coversOther), out var value))
        {
            _objects[(layers, coversOther)] = value = new LazyObject(layers, coversOther);
        }

        return value;
    }

    private (LazyValue? Value, bool LookedBack) EvaluateEntry(LazyField field, int index)
    {
        var node = field.Entries[index].Value;
        if (node is not (SubstitutionNode or JoinNode))
        {
            return (Evaluate(node), false);
        }

        var before = field.Evaluating;
        var frame = new Frame(field, index);
        field.Evaluating = index;
        _frames.Add(frame);
        var height = _frames.Count;
        try
        {
            return (Evaluate(node), false);
        }
        catch (LookBackSignal signal) when (ReferenceEquals(signal.Frame, frame))
        {
            return (null, true);
        }
        finally
        {
            _frames.RemoveRange(height - 1, _frames.Count - height + 1);
            field.Evaluating = before;
        }
    }

    private LazyValue? Evaluate(HoconNode node)
    {
        if (node is ScalarNode scalar)
        {
            return new LazyScalar(scalar.Value);
        }

        if (_known.TryGetValue(node, out var known))
        {
            return known;
        }

        Spend(node.Origin, 1);
        if (++_depth > HoconLimits.ResolutionDepth)
        {
            throw new HoconException(node.Origin, "substitutions lead through too many others");
        }

        try
        {
            var value = RuntimeHelpers.TryEnsureSufficientExecutionStack()
                ? EvaluateHere(node)
                : OnFreshStack(() => EvaluateHere(node));
            return _known.TryAdd(node, value) ? value : _known[node];
        }
        finally
        {
            _depth--;
        }
    }

    private LazyValue? EvaluateHere(HoconNode node) => node switch
    {
        ObjectNode layer => ObjectOf([layer], coversOther: false),
        ArrayNode array => ToLazy(array, home: null),
        SubstitutionNode substitution => Substitute(substitution),
        _ => Join((JoinNode)node),
    };

    private static LazyArray ToLazy(ArrayNode array, Frame? home) => new(
        [.. array.Elements.Select(e => new LazyElement
        {
            Node = e,
            Home = home?.Field,
            HomeEntry = home?.Index ?? 0,
            IsResolved = e is ScalarNode,
            Resolved = (e as ScalarNode)?.Value,
        })],
        array.Origin);

    private void Spend(HoconOrigin origin, long amount)
    {
        _budget -= amount;
        if (_budget < 0)
        {
            throw TooBig(origin);
        }
    }

    private static HoconException TooBig(HoconOrigin origin) =>
        new(origin, $"substitutions expand to more than {HoconLimits.Weight >> 20} Mi characters and elements");

    /// <summary>A stack overflow cannot be caught, so a deep evaluation goes on with a stack of its own.</summary>
    private static T OnFreshStack<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = work();
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            maxStackSize: 16 << 20);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private sealed record Frame(LazyField Field, int Index);

    /// <summary>A value turned out to contain itself.</summary>
    private sealed class CycleSignal(HoconOrigin origin) : Exception
    {
        public HoconOrigin Origin { get; } = origin;
    }

    /// <summary>Unwinds to the field that is to look back.</summary>
    private sealed class LookBackSignal(Frame frame) : Exception
    {
        public Frame Frame { get; } = frame;
    }
}
