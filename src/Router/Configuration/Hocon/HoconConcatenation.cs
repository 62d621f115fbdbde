namespace Router.Configuration.Hocon;

/// <summary>Makes one value of those written beside each other: texts, objects or arrays, but no two kinds.</summary>
internal sealed class HoconConcatenation(HoconEvaluator evaluator, ResolutionBudget budget)
{
    /// <returns>Null if every piece is undefined.</returns>
    public LazyValue? Evaluate(ConcatenationNode node)
    {
        var entry = evaluator.OpenEntryOf(node);
        var pieces = new List<(HoconNode Node, LazyValue Value)>(node.Pieces.Count);
        foreach (var piece in node.Pieces)
        {
            var value = piece is ArrayNode array && entry is not null
                ? LazyArray.Of(array, entry)
                : evaluator.Evaluate(piece);
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

        return pieces.Exists(p => p.Value is LazyArray) ? Arrays(node, pieces)
            : pieces.Exists(p => p.Value is LazyObject) ? Objects(node, pieces)
            : Texts(node, pieces);
    }

    private LazyScalar Texts(ConcatenationNode node, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        budget.Charge(node.Origin, pieces.Count);
        var text = new LazyScalar([.. pieces.Select(p => (LazyScalar)p.Value)], node.Origin);
        return text.Length <= HoconLimits.Weight ? text : throw ResolutionBudget.TooBig(node.Origin);
    }

    private LazyObject Objects(ConcatenationNode node, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        var topmostFirst = pieces
            .AsEnumerable()
            .Reverse()
            .Select(p => p.Value as LazyObject ?? throw Mixed(p.Node.Origin, p.Value, "an object"))
            .ToList();
        return evaluator.Merge(topmostFirst, topmostFirst[^1].CoversOther, node.Origin);
    }

    private LazyArray Arrays(ConcatenationNode node, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        var arrays = pieces.Select(p => p.Value switch
        {
            LazyArray array => array,
            LazyObject numbered when NumberedElements(numbered) is { Length: > 0 } elements =>
                new LazyArray(elements, p.Node.Origin),
            _ => throw Mixed(p.Node.Origin, p.Value, "an array"),
        }).ToArray();
        budget.Charge(node.Origin, arrays.Length);
        var whole = new LazyArray(arrays, node.Origin);
        return whole.Count <= HoconLimits.Weight ? whole : throw ResolutionBudget.TooBig(node.Origin);
    }

    /// <summary>An object with numbers for keys is an array where one is needed.</summary>
    private static LazyElement[] NumberedElements(LazyObject value) =>
        [.. value.Entries
            .Select(e => (Index: HoconObject.ElementIndex(e.Key), e.Key))
            .Where(p => p.Index >= 0)
            .OrderBy(p => p.Index)
            .Select(p => new LazyElement { Field = value.Field(p.Key) })];

    private static HoconException Mixed(HoconOrigin origin, LazyValue value, string other)
    {
        var found = value switch
        {
            LazyScalar { IsWhole: false } => "text",
            LazyScalar scalar => scalar.Value.TypeName,
            LazyArray => "an array",
            _ => "an object",
        };
        return new HoconException(origin, $"{found} cannot be joined with {other}");
    }
}
