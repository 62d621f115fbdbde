using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Makes one value of the pieces written beside each other.</summary>
/// <remarks>Text is joined at once: a value of millions of words is still one node.</remarks>
internal struct JoinReader(HoconLoader loader)
{
    private List<HoconNode>? _pieces;
    private HoconToken? _blank;
    private HoconToken? _first;
    private HoconType _type;
    private StringBuilder? _text;

    private readonly bool IsEmpty => _pieces is null && _first is null;

    /// <summary>Blanks count between pieces only.</summary>
    public void AddBlank(HoconToken blank) => _blank = IsEmpty ? null : blank;

    public void AddScalar(HoconType type, HoconToken token)
    {
        if (_first is { } first)
        {
            _text ??= new StringBuilder(first.Text);
            _text.Append(_blank?.Text).Append(token.Text);
        }
        else
        {
            FlushBlank();
            _first = token;
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
                loader.Count(_first.Value.Origin, 1);
            }

            return Text();
        }

        FlushText();
        return _pieces.Count == 1 ? _pieces[0] : new JoinNode(_pieces[0].Origin, _pieces);
    }

    private void FlushBlank()
    {
        if (_blank is { } blank)
        {
            Keep(new ScalarNode(new HoconScalar(HoconType.String, blank.Text, blank.Origin), isBlank: true));
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
    private readonly ScalarNode? Text() => _first is not { } first ? null : new ScalarNode(_text is null
        ? new HoconScalar(_type, first.Text, first.Origin)
        : new HoconScalar(HoconType.String, _text.ToString(), first.Origin));

    private void Keep(HoconNode piece)
    {
        loader.Count(piece.Origin, 1);
        (_pieces ??= []).Add(piece);
    }
}
