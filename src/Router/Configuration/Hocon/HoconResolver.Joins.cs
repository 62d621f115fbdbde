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

            all = all is null ? upper : Over(upper, all, node.Origin);
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

            Spend(node.Origin, elements.Count * 2L);
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
}
