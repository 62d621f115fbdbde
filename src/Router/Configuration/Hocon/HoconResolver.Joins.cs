namespace Router.Configuration.Hocon;

/// <content>Values written beside each other.</content>
internal sealed partial class HoconResolver
{
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
            : pieces.Exists(p => p.Value is LazyObject) ? JoinObjects(node, pieces)
            : JoinTexts(node, pieces);
    }

    private LazyScalar JoinTexts(JoinNode node, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        Spend(node.Origin, pieces.Count);
        var text = new LazyScalar([.. pieces.Select(p => (LazyScalar)p.Value)], node.Origin);
        return text.Length <= HoconLimits.Weight ? text : throw TooBig(node.Origin);
    }

    private LazyObject JoinObjects(JoinNode join, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        var all = new List<LazyObject>(pieces.Count);
        for (var i = pieces.Count - 1; i >= 0; i--)
        {
            all.Add(pieces[i].Value as LazyObject ?? throw Mixed(pieces[i].Node.Origin, pieces[i].Value, "an object"));
        }

        return Merge(all, all[^1].CoversOther, join.Origin);
    }

    private LazyArray JoinArrays(JoinNode join, List<(HoconNode Node, LazyValue Value)> pieces)
    {
        var all = new List<LazyArray>(pieces.Count);
        foreach (var (node, value) in pieces)
        {
            all.Add(value switch
            {
                LazyArray array => array,
                LazyObject numbered when NumberedElements(numbered) is { } elements =>
                    new LazyArray(elements, node.Origin),
                _ => throw Mixed(node.Origin, value, "an array"),
            });
        }

        Spend(join.Origin, all.Count);
        var joined = new LazyArray([.. all], join.Origin);
        return joined.Count <= HoconLimits.Weight ? joined : throw TooBig(join.Origin);
    }

    /// <summary>An object with numbers for keys is an array where one is needed; null when it has none.</summary>
    private static LazyElement[]? NumberedElements(LazyObject value)
    {
        var elements = value.Entries
            .Select(e => (Index: HoconObject.ElementIndex(e.Key), e.Key))
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
            LazyScalar { IsJoined: false } => "text",
            LazyScalar scalar => scalar.Value.TypeName,
            LazyArray => "an array",
            _ => "an object",
        };
        return new HoconException(origin, $"{found} cannot be joined with {other}");
    }
}
