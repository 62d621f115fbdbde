using System.Runtime.CompilerServices;

namespace Router.Configuration.Hocon;

/// <content>Resolving in full: every part of a value, where it must end.</content>
internal sealed partial class HoconResolver
{
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
        var before = field.Resolving;
        field.Resolving = true;
        try
        {
            var count = field.Entries.Count;
            while (true)
            {
                var value = EvaluateBelow(field, count);
                if (value is null)
                {
                    return null;
                }

                // A cycle counts as undefined for ${?}: the field then keeps what it had before.
                var optional = LastOptional(field, count);
                try
                {
                    return ContainsAncestor(field, count)
                        ? throw new CycleSignal(field.Entries[count - 1].Value.Origin)
                        : ResolveValue(value, field.Entries[count - 1].Value.Origin);
                }
                catch (CycleSignal) when (optional >= 0)
                {
                    count = optional;
                }
            }
        }
        finally
        {
            field.Resolving = before;
        }
    }

    /// <summary>Whether a substitution in the field means a field that is being resolved around it.</summary>
    private bool ContainsAncestor(LazyField field, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var node = field.Entries[i].Value;
            var isAncestor = node is JoinNode join ? join.Pieces.Any(IsAncestor) : IsAncestor(node);
            if (isAncestor)
            {
                return true;
            }
        }

        return false;

        bool IsAncestor(HoconNode node) =>
            node is SubstitutionNode substitution
            && _targets.TryGetValue(substitution, out var target)
            && target.Resolving;
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
}
