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
internal sealed class HoconResolver
{
    private readonly LazyObject _root;
    private readonly Func<string, string?> _environment;
    private readonly Dictionary<HoconNode, LazyValue?> _known = new(ReferenceEqualityComparer.Instance);
    private readonly List<Frame> _frames = [];
    private long _budget = HoconLimits.Weight;
    private int _depth;

    private HoconResolver(IReadOnlyList<ObjectNode> layers, Func<string, string?> environment)
    {
        _root = new LazyObject(layers, coversOther: false);
        _environment = environment;
        if (layers.Count == 1)
        {
            _known[layers[0]] = _root;
        }
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

    // ---- in full ----

    private HoconValue ResolveValue(LazyValue value, HoconOrigin at)
    {
        if (++_depth > HoconLimits.ResolutionDepth)
        {
            throw new HoconException(at, "substitutions lead through too many others");
        }

        try
        {
            return RuntimeHelpers.TryEnsureSufficientExecutionStack()
                ? ResolveHere(value, at)
                : OnFreshStack(() => ResolveHere(value, at));
        }
        finally
        {
            _depth--;
        }
    }

    private HoconValue ResolveHere(LazyValue value, HoconOrigin at)
    {
        HoconValue resolved = value switch
        {
            LazyScalar scalar => scalar.Value,
            LazyArray array => array.Resolved ?? ResolveArray(array, at),
            _ => ((LazyObject)value).Resolved ?? ResolveObject((LazyObject)value, at),
        };
        if (resolved.Depth > HoconLimits.Depth)
        {
            throw new HoconException(at, $"nested more than {HoconLimits.Depth} levels deep");
        }

        return resolved.Weight <= HoconLimits.Weight ? resolved : throw TooBig(at);
    }

    private HoconObject ResolveObject(LazyObject value, HoconOrigin at)
    {
        if (value.InProgress)
        {
            throw new CycleSignal(at);
        }

        value.InProgress = true;
        try
        {
            var fields = new List<HoconField>();
            foreach (var key in value.Keys())
            {
                var field = value.Field(key);
                if (field is not null && ResolveField(field) is { } resolved)
                {
                    fields.Add(new HoconField(key, resolved, field.Entries[field.Decider].KeyOrigin));
                }
            }

            var origin = value.Layers[^1].Origin;
            return value.Resolved = new HoconObject(fields, origin, value.CoversOther);
        }
        finally
        {
            value.InProgress = false;
        }
    }

    private HoconArray ResolveArray(LazyArray value, HoconOrigin at)
    {
        if (value.InProgress)
        {
            throw new CycleSignal(at);
        }

        value.InProgress = true;
        try
        {
            var elements = value.Elements.Select(ResolveElement).OfType<HoconValue>().ToArray();
            return value.Resolved = new HoconArray(elements, value.Origin);
        }
        finally
        {
            value.InProgress = false;
        }
    }

    private HoconValue? ResolveField(LazyField field)
    {
        var count = field.Entries.Count;
        while (true)
        {
            var value = EvaluateBelow(field, count);
            if (value is null)
            {
                return null;
            }

            try
            {
                return ResolveValue(value, field.Entries[^1].Value.Origin);
            }
            catch (CycleSignal)
            {
                // A cycle counts as undefined for ${?}: the field then keeps what it had before.
                var optional = LastOptional(field, count);
                if (optional < 0)
                {
                    throw;
                }

                count = optional;
            }
        }
    }

    private static int LastOptional(LazyField field, int count)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            if (field.Entries[i].Value is SubstitutionNode { Optional: true })
            {
                return i;
            }
        }

        return -1;
    }

    private HoconValue? ResolveElement(LazyElement element)
    {
        if (element.IsResolved)
        {
            return element.Resolved;
        }

        var (home, before) = (element.Home, element.Home?.Evaluating ?? -1);
        if (home is not null)
        {
            home.Evaluating = element.HomeEntry;
        }

        try
        {
            if (element.Field is not null)
            {
                element.Resolved = ResolveField(element.Field);
            }
            else if (Evaluate(element.Node!) is { } value)
            {
                element.Resolved = ResolveValue(value, element.Node!.Origin);
            }
        }
        catch (CycleSignal) when (element.Node is SubstitutionNode { Optional: true })
        {
            element.Resolved = null;
        }
        finally
        {
            if (home is not null)
            {
                home.Evaluating = before;
            }
        }

        element.IsResolved = true;
        return element.Resolved;
    }

    // ---- as far as the kind ----

    /// <summary>A field's value, of its <paramref name="count"/> lowest entries; null is undefined.</summary>
    private LazyValue? EvaluateBelow(LazyField field, int count)
    {
        if (field.Evaluating < 0 && field.Values.TryGetValue(count, out var known))
        {
            return known;
        }

        LazyObject? upper = null;
        LazyValue? other = null;
        var lookedBack = false;
        for (var i = count - 1; i >= 0 && other is null; i--)
        {
            var (value, back) = EvaluateEntry(field, i);
            lookedBack |= back;
            if (value is not null && upper is null)
            {
                field.Decider = i;
            }

            if (value is LazyObject lower)
            {
                _budget -= lower.Layers.Count;
                upper = upper is null ? lower : upper.Over(lower);
            }
            else
            {
                other = value;
            }
        }

        var result = upper is null ? other : other is null ? upper : upper.OverOther();
        if (field.Evaluating < 0 && !lookedBack)
        {
            field.Values[count] = result;
        }

        return result;
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
        ObjectNode layer => new LazyObject([layer], coversOther: false),
        ArrayNode array => ToLazy(array, home: null),
        SubstitutionNode substitution => Substitute(substitution),
        _ => Join((JoinNode)node),
    };

    private static LazyArray ToLazy(ArrayNode array, Frame? home) => new(
        [.. array.Elements.Select(e => new LazyElement { Node = e, Home = home?.Field, HomeEntry = home?.Index ?? 0 })],
        array.Origin);

    // ---- substitutions ----

    private LazyValue? Substitute(SubstitutionNode node)
    {
        var isCycle = false;
        LazyValue? value = null;
        if (node.Scope is { } scope)
        {
            var start = scope.Anchor is null ? _root : (LazyObject)Evaluate(scope.Anchor)!;
            value = LookUp(start, [.. scope.Path, .. node.Path], ref isCycle);
        }

        if (value is null && !node.ScopeOnly)
        {
            isCycle = false;
            value = LookUp(_root, node.Path, ref isCycle);
            if (value is null && !isCycle && node.Path.Count == 1)
            {
                value = FromEnvironment(node);
            }
        }

        if (value is null && !node.Optional && !_known.ContainsKey(node))
        {
            throw new HoconException(node.Origin, isCycle
                ? $"{node} refers to itself: a cycle of substitutions, with no earlier value to look back to"
                : $"{node} is not defined, neither in the configuration nor in the environment");
        }

        return value;
    }

    private LazyValue? LookUp(LazyObject start, IReadOnlyList<string> path, ref bool isCycle)
    {
        LazyValue? at = start;
        foreach (var key in path)
        {
            if (at is not LazyObject parent || parent.Field(key) is not { } field)
            {
                return null;
            }

            if (field.Evaluating < 0)
            {
                at = EvaluateBelow(field, field.Entries.Count);
            }
            else if (field.Evaluating > 0)
            {
                at = EvaluateBelow(field, field.Evaluating);
            }
            else
            {
                isCycle = true;
                LookBackElsewhere(field);
                return null;
            }
        }

        return at;
    }

    /// <summary>The field has nothing below to look back to; one that was met since it began may have.</summary>
    private void LookBackElsewhere(LazyField field)
    {
        var start = _frames.FindLastIndex(f => ReferenceEquals(f.Field, field));
        if (start < 0)
        {
            return;
        }

        for (var i = start + 1; i < _frames.Count; i++)
        {
            if (_frames[i].Index > 0)
            {
                throw new LookBackSignal(_frames[i]);
            }
        }
    }

    private LazyValue? FromEnvironment(SubstitutionNode node)
    {
        var name = node.Path[0];
        if (!node.List)
        {
            return _environment(name) is { } text ? Text(text) : null;
        }

        var elements = new List<LazyElement>();
        while (_environment($"{name}_{elements.Count}") is { } text)
        {
            elements.Add(new LazyElement { Node = new ScalarNode(Text(text).Value) });
        }

        return elements.Count == 0 ? null : new LazyArray(elements, node.Origin);

        LazyScalar Text(string text) =>
            new(new HoconScalar(HoconType.String, text, node.Origin));
    }

    // ---- joins ----

    private LazyValue? Join(JoinNode node)
    {
        var home = _frames.Count > 0 && ReferenceEquals(_frames[^1].Field.Entries[_frames[^1].Index].Value, node)
            ? _frames[^1]
            : null;
        var pieces = new List<(HoconNode Node, LazyValue Value)>(node.Pieces.Count);
        foreach (var piece in node.Pieces)
        {
            var value = piece is ArrayNode array && home is not null ? ToLazy(array, home) : Evaluate(piece);
            if (value is not null)
            {
                pieces.Add((piece, value));
            }
        }

        if (pieces.Exists(p => p.Value is not LazyScalar))
        {
            pieces.RemoveAll(p => p.Node is ScalarNode { IsBlank: true });
        }

        if (pieces.Count <= 1)
        {
            return pieces.Count == 0 ? null : pieces[0].Value;
        }

        return pieces.Exists(p => p.Value is LazyArray) ? JoinArrays(node, pieces)
            : pieces.Exists(p => p.Value is LazyObject) ? JoinObjects(pieces)
            : JoinTexts(node, pieces);
    }

    private LazyScalar JoinTexts(JoinNode node, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        Spend(node.Origin, pieces.Sum(p => ((LazyScalar)p.Value).Value.Text.Length));
        var text = string.Concat(pieces.Select(p => ((LazyScalar)p.Value).Value.Text));
        return new LazyScalar(new HoconScalar(HoconType.String, text, node.Origin));
    }

    private LazyObject JoinObjects(List<(HoconNode Node, LazyValue Value)> pieces)
    {
        LazyObject? all = null;
        foreach (var (node, value) in pieces)
        {
            if (value is not LazyObject upper)
            {
                throw Mixed(node.Origin, value, "an object");
            }

            Spend(node.Origin, upper.Layers.Count);
            all = all is null ? upper : upper.Over(all);
        }

        return all!;
    }

    private LazyArray JoinArrays(JoinNode join, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        var all = new List<LazyElement>();
        foreach (var (node, value) in pieces)
        {
            var elements = value switch
            {
                LazyArray array => array.Elements,
                LazyObject numbered => NumberedElements(numbered),
                _ => null,
            };
            if (elements is null)
            {
                throw Mixed(node.Origin, value, "an array");
            }

            Spend(node.Origin, elements.Count);
            all.AddRange(elements);
        }

        return new LazyArray(all, join.Origin);
    }

    /// <summary>An object with numbers for keys is an array where one is needed; null when it has none.</summary>
    private static LazyElement[]? NumberedElements(LazyObject value)
    {
        var elements = value.Keys()
            .Select(key => (Index: HoconObject.ElementIndex(key), Key: key))
            .Where(p => p.Index >= 0)
            .OrderBy(p => p.Index)
            .Select(p => new LazyElement { Field = value.Field(p.Key) })
            .ToArray();
        return elements.Length == 0 ? null : elements;
    }

    private static HoconException Mixed(HoconOrigin origin, LazyValue value, string other)
    {
        var found = value switch
        {
            LazyScalar scalar => scalar.Value.TypeName,
            LazyArray => "an array",
            _ => "an object",
        };
        return new HoconException(origin, $"{found} cannot be joined with {other}");
    }

    // ---- budget ----

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
