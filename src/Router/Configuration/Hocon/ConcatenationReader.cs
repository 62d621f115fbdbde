using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Makes one value of the pieces written beside each other.</summary>
/// <remarks>Text is joined at once: a value of millions of words is still one node.</remarks>
internal struct ConcatenationReader(HoconLoader loader)
{
    private List<HoconNode>? _pieces;
    private string? _blank;
    private HoconOrigin _blankOrigin;
    private string? _first;
    private HoconOrigin _firstOrigin;
    private HoconType _type;
    private StringBuilder? _text;

    /// <summary>Blanks count between pieces only.</summary>
    public void AddBlank(HoconToken blank)
    {
        if (_pieces is not null || _first is not null)
        {
            _blank = blank.Text;
            _blankOrigin = blank.Origin;
        }
    }

    public void AddScalar(HoconType type, HoconToken token)
    {
        if (_first is not null)
        {
            _text ??= new StringBuilder(_first);
            _text.Append(_blank).Append(token.Text);
        }
        else
        {
            FlushBlank();
            _first = token.Text;
            _firstOrigin = token.Origin;
            _type = type;
        }

        _blank = null;
    }

    public void Add(HoconNode piece)
    {
        FlushText();
        FlushBlank();
        Keep(piece);
    }

    /// <returns>Null when there was no piece.</returns>
    public HoconNode? End()
    {
        if (_pieces is null)
        {
            if (_first is not null)
            {
                loader.Count(_firstOrigin, 1);
            }

            return Text();
        }

        FlushText();
        RefuseMixed(_pieces);
        return _pieces.Count == 1 ? _pieces[0] : new ConcatenationNode(_pieces[0].Origin, _pieces);
    }

    /// <summary>What no substitution can mend is refused even where a later value would hide it.</summary>
    private static void RefuseMixed(List<HoconNode> pieces)
    {
        var container = pieces.Find(p => p is ArrayNode or ObjectNode);
        if (container is not null && pieces.Find(p => p is ScalarNode { IsBlank: false }) is ScalarNode text)
        {
            throw new HoconException(text.Origin, $"{text.Value.TypeName} cannot be joined with "
                + (container is ArrayNode ? "an array" : "an object"));
        }
    }

    private void FlushBlank()
    {
        if (_blank is not null)
        {
            Keep(new ScalarNode(new HoconScalar(HoconType.String, _blank, _blankOrigin), isBlank: true));
            _blank = null;
        }
    }

    private void FlushText()
    {
        if (Text() is { } text)
        {
            Keep(text);
            (_first, _text) = (null, null);
        }
    }

    /// <summary>One word alone keeps its type; several are text as written.</summary>
    private readonly ScalarNode? Text() => _first is null ? null : new ScalarNode(_text is null
        ? new HoconScalar(_type, _first, _firstOrigin)
        : new HoconScalar(HoconType.String, _text.ToString(), _firstOrigin));

    private void Keep(HoconNode piece)
    {
        loader.Count(piece.Origin, 1);
        (_pieces ??= []).Add(piece);
    }
}
