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
    private readonly List<Frame> _frames = [];
    private long _budget = HoconLimits.Weight;
    private int _depth;

    private HoconResolver(IReadOnlyList<ObjectNode> layers, Func<string, string?> environment)
    {
        _root = ObjectOf(layers, coversOther: false);
        _environment = environment;
    }

    /// <param name="layers">Whole configurations, lowest first; none is changed.</param>
    /// <param name="environment">Answers null for a variable that is not set.</param>
    public static HoconObject Resolve(IReadOnlyList<ObjectNode> layers, Func<string, string?> environment)
    {
        var resolver = new HoconResolver(layers, environment);
        try
        {
            var root = resolver.ResolveObject(resolver._root, layers[^1].Origin);
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
        LazyObject? upper = null;
        LazyValue? other = null;
        var lookedBack = false;
        for (var i = count; i > 0 && other is null; i--)
        {
            // Once the value of all entries up to here is known, none of them needs to be looked at again.
            var back = false;
            var isKnown = field.Values.TryGetValue(i, out var value);
            if (!isKnown)
            {
                (value, back) = EvaluateEntry(field, i - 1);
            }

            lookedBack |= back;
            if (value is not null && upper is null && !isKnown)
            {
                field.Decider = i - 1;
            }

            if (value is LazyObject lower)
            {
                upper = upper is null ? lower : Over(upper, lower, field.Entries[i - 1].KeyOrigin);
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

        var result = upper is null ? other : other is null ? upper : ObjectOf(upper.Layers, coversOther: true);
        if (!lookedBack)
        {
            field.Values[count] = result;
        }

        return result;
    }

    /// <summary>One object over another. A layer that is in both counts once, at its upper place.</summary>
    private LazyObject Over(LazyObject upper, LazyObject lower, HoconOrigin origin)
    {
        Spend(origin, upper.Layers.Count + lower.Layers.Count);
        var own = upper.Layers.ToHashSet();
        return ObjectOf([.. lower.Layers.Where(l => !own.Contains(l)), .. upper.Layers], lower.CoversOther);
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
        ScalarNode scalar => new LazyScalar(scalar.Value),
        ObjectNode layer => ObjectOf([layer], coversOther: false),
        ArrayNode array => ToLazy(array, home: null),
        SubstitutionNode substitution => Substitute(substitution),
        _ => Join((JoinNode)node),
    };

    private static LazyArray ToLazy(ArrayNode array, Frame? home) => new(
        [.. array.Elements.Select(e => new LazyElement { Node = e, Home = home?.Field, HomeEntry = home?.Index ?? 0 })],
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
