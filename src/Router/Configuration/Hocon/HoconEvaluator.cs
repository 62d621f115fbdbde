namespace Router.Configuration.Hocon;

/// <summary>Turns nodes into lazy values: merge stacks here, substitutions and concatenations by its helpers.</summary>
/// <remarks>
/// Evaluation is lazy, per field. A substitution looks forward to the final value of its path. When that value is
/// just being evaluated, it looks back: only the entries below the one in evaluation count. When there are none, but a
/// field met on the way round has some, that field looks back instead, so that the outcome does not depend on which
/// field is asked for first. Otherwise the substitution is undefined. Each occurrence is evaluated once; the first
/// answer to be complete, which is the one that looked back furthest, stays.
/// </remarks>
internal sealed class HoconEvaluator
{
    private readonly Dictionary<HoconNode, LazyValue?> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(IReadOnlyList<ObjectNode>, bool), LazyObject> _objects = new(new LayersComparer());
    private readonly List<OpenEntry> _open = [];
    private readonly HoconSubstitutions _substitutions;
    private readonly HoconConcatenation _concatenation;
    private readonly ResolutionBudget _budget;

    public HoconEvaluator(
        IReadOnlyList<ObjectNode> layers, Func<string, string?> environment, OptionalCycles cycles,
        ResolutionBudget budget)
    {
        _budget = budget;
        _substitutions = new HoconSubstitutions(this, cycles, environment);
        _concatenation = new HoconConcatenation(this, budget);
        Root = ObjectOf(layers, coversOther: false);
    }

    public LazyObject Root { get; }

    /// <returns>Null if the value is undefined.</returns>
    public LazyValue? Evaluate(HoconNode node)
    {
        if (node is ScalarNode scalar)
        {
            return new LazyScalar(scalar.Value);
        }

        if (_known.TryGetValue(node, out var known))
        {
            return known;
        }

        _budget.Charge(node.Origin, 1);
        var value = _budget.Nest(node.Origin, () => EvaluateHere(node));
        return _known.TryAdd(node, value) ? value : _known[node];
    }

    public bool TryGetKnown(HoconNode node, out LazyValue? value) => _known.TryGetValue(node, out value);

    public void Forget(HoconNode node) => _known.Remove(node);

    /// <summary>A field's value, of its <paramref name="count"/> lowest entries; null is undefined.</summary>
    public LazyValue? EvaluateBelow(LazyField field, int count)
    {
        if (count > HoconLimits.LongStack && !field.TryGetValue(count - 1, out _))
        {
            EvaluateUpwards(field, count);
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
                field.DecidingEntry = i - 1;
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
    /// Objects over each other, topmost first. A layer that is in several counts once, at its upper place.
    /// </summary>
    public LazyObject Merge(List<LazyObject> objects, bool coversOther, HoconOrigin origin)
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
            _budget.Charge(origin, own.Count);
            layers.AddRange(own.Reverse().Where(seen.Add));
        }

        layers.Reverse();
        var merged = ObjectOf([.. layers], coversOther);
        merged.Base ??= objects[^1];
        return merged;
    }

    /// <summary>The entry under evaluation, if the node is all of it.</summary>
    public OpenEntry? OpenEntryOf(HoconNode node) =>
        _open.Count > 0 && ReferenceEquals(_open[^1].Field.Entries[_open[^1].Index].Value, node) ? _open[^1] : null;

    /// <summary>The field has nothing below to look back to. If one that was met since it began has, evaluation goes
    /// back to that one, by a signal.</summary>
    public void LookBackElsewhere(LazyField field)
    {
        var start = _open.FindLastIndex(e => ReferenceEquals(e.Field, field));
        if (start >= 0 && _open.Skip(start + 1).FirstOrDefault(e => e.Index > 0) is { } entry)
        {
            throw new LookBackSignal(entry);
        }
    }

    /// <summary>
    /// Thousands of entries that each look back to the one below would nest as deep; from the lowest up they do not.
    /// </summary>
    private void EvaluateUpwards(LazyField field, int count)
    {
        var start = count;
        while (start > 0 && LooksBack(field.Entries[start - 1].Value, field.Name))
        {
            start--;
        }

        for (var i = Math.Max(start, 1); i < count && !field.NeedsRecursion; i++)
        {
            try
            {
                EvaluateBelow(field, i);
            }
            catch (HoconException)
            {
                // What is wrong below may be hidden above.
                field.NeedsRecursion = true;
            }

            field.NeedsRecursion |= !field.TryGetValue(i, out _);
        }
    }

    /// <summary>Whether a value mentions a path that ends in the field's name: probably the field itself.</summary>
    private static bool LooksBack(HoconNode node, string name) => node switch
    {
        SubstitutionNode substitution => substitution.Path[^1] == name,
        ConcatenationNode concatenation => concatenation.Pieces.Any(p => LooksBack(p, name)),
        _ => false,
    };

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
        if (node is not (SubstitutionNode or ConcatenationNode))
        {
            return (Evaluate(node), false);
        }

        var before = field.Evaluating;
        var entry = new OpenEntry(field, index);
        var height = _open.Count;
        field.Evaluating = index;
        _open.Add(entry);
        try
        {
            return (Evaluate(node), false);
        }
        catch (LookBackSignal signal) when (ReferenceEquals(signal.Entry, entry))
        {
            return (null, true);
        }
        finally
        {
            _open.RemoveRange(height, _open.Count - height);
            field.Evaluating = before;
        }
    }

    private LazyValue? EvaluateHere(HoconNode node) => node switch
    {
        ObjectNode layer => ObjectOf([layer], coversOther: false),
        ArrayNode array => LazyArray.Of(array, entry: null),
        SubstitutionNode substitution => _substitutions.Evaluate(substitution),
        _ => _concatenation.Evaluate((ConcatenationNode)node),
    };

    /// <summary>Unwinds to the entry whose field is to look back.</summary>
    private sealed class LookBackSignal(OpenEntry entry) : Exception
    {
        public OpenEntry Entry { get; } = entry;
    }
}
