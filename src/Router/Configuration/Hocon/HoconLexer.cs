using System.Buffers;
using System.Globalization;
using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Cuts a text into tokens, one at a time: millions of them at once would not fit into memory.</summary>
/// <remarks>Comments vanish; blanks stay, because a join of values keeps them.</remarks>
internal sealed class HoconLexer
{
    private static readonly SearchValues<char> Reserved = SearchValues.Create("$\"{}[]:=,+#`^?!@*&\\");

    private readonly string _text;
    private readonly string _file;
    private HoconToken? _token;
    private int _at;
    private int _line = 1;
    private int _lineStart;

    public HoconLexer(string text, string file)
    {
        _text = text;
        _file = file;
        if (text.StartsWith('\ufeff'))
        {
            _at = _lineStart = 1;
        }
    }

    /// <summary>The next token; <see cref="HoconTokenKind.End"/> when there is none, as often as it is asked.</summary>
    public HoconToken Next()
    {
        _token = null;
        while (_token is null && _at < _text.Length)
        {
            Step();
        }

        return _token ?? new HoconToken(HoconTokenKind.End, "", Here());
    }

    /// <summary>Unicode's separators, the ASCII ones and the byte order mark; only U+000A ends a line.</summary>
    public static bool IsBlank(char c) =>
        c is ' ' or (>= '\t' and <= '\r') or (>= '\x1c' and <= '\x1f') or '\ufeff'
        || (c >= '\x80' && char.GetUnicodeCategory(c) is UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    /// <summary>Reads a token, or a comment, which is none.</summary>
    private void Step()
    {
        var c = _text[_at];
        if (c == '\n')
        {
            Add(HoconTokenKind.Newline, "\n", Here());
            _at++;
            StartLine();
        }
        else if (IsBlank(c))
        {
            Blank();
        }
        else if (c == '#' || StartsComment(_at))
        {
            var end = _text.IndexOf('\n', _at);
            _at = end < 0 ? _text.Length : end;
        }
        else if (c == '"')
        {
            Quoted();
        }
        else if (c is (>= '0' and <= '9') or '-')
        {
            Number();
        }
        else if (Reserved.Contains(c))
        {
            Punctuation(c);
        }
        else
        {
            Unquoted();
        }
    }

    private void Punctuation(char c)
    {
        var origin = Here();
        if (c is '+')
        {
            if (Peek(1) != '=')
            {
                throw Refuse(origin, "'+' must be followed by '=' at once; quote the text if it is meant as such");
            }

            Take(HoconTokenKind.PlusEquals, 2, origin);
            return;
        }

        if (c is '$')
        {
            if (Peek(1) != '{')
            {
                throw Refuse(origin, "'$' must be followed by '{'; quote the text if it is meant as such");
            }

            var optional = Peek(2) == '?';
            Take(optional ? HoconTokenKind.OpenOptionalSubstitution : HoconTokenKind.OpenSubstitution,
                optional ? 3 : 2, origin);
            return;
        }

        var (kind, text) = c switch
        {
            ',' => (HoconTokenKind.Comma, ","),
            ':' => (HoconTokenKind.Colon, ":"),
            '=' => (HoconTokenKind.Equals, "="),
            '{' => (HoconTokenKind.OpenBrace, "{"),
            '}' => (HoconTokenKind.CloseBrace, "}"),
            '[' => (HoconTokenKind.OpenBracket, "["),
            ']' => (HoconTokenKind.CloseBracket, "]"),
            _ => throw Refuse(origin, $"'{c}' is reserved outside quotes; quote the text that holds it"),
        };
        _at++;
        Add(kind, text, origin);
    }

    private void Blank()
    {
        var start = _at;
        var origin = Here();
        while (_at < _text.Length && _text[_at] != '\n' && IsBlank(_text[_at]))
        {
            _at++;
        }

        Add(HoconTokenKind.Blank, _at - start == 1 && _text[start] == ' ' ? " " : _text[start.._at], origin);
    }

    private void Number()
    {
        var origin = Here();
        var end = _at + 1;
        while (end < _text.Length && IsNumberPart(end))
        {
            end++;
        }

        var text = _text[_at..end];
        var isNumber = HoconNumber.IsNumber(text);
        if (!isNumber && text.Contains('+'))
        {
            throw Refuse(origin, $"'{text}' is no number, and '+' is reserved outside quotes");
        }

        _at = end;
        Add(isNumber ? HoconTokenKind.Number : HoconTokenKind.Unquoted, text, origin);
    }

    /// <summary>A plus belongs to a number only behind its exponent's letter: <c>1+=2</c> begins with a key.</summary>
    private bool IsNumberPart(int at) =>
        _text[at] is (>= '0' and <= '9') or 'e' or 'E' or '.' or '-'
        || (_text[at] == '+' && _text[at - 1] is 'e' or 'E');

    private void Unquoted()
    {
        var origin = Here();
        foreach (var (word, kind) in Words)
        {
            if (word[0] == _text[_at] && string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0)
            {
                Take(kind, word.Length, origin);
                return;
            }
        }

        var start = _at;
        while (_at < _text.Length && !Reserved.Contains(_text[_at]) && !IsBlank(_text[_at]) && !StartsComment(_at))
        {
            _at++;
        }

        Add(HoconTokenKind.Unquoted, _text[start.._at], origin);
    }

    private static readonly (string Word, HoconTokenKind Kind)[] Words =
    [
        ("true", HoconTokenKind.True), ("false", HoconTokenKind.False), ("null", HoconTokenKind.Null),
    ];

    private void Quoted()
    {
        var origin = Here();
        if (string.CompareOrdinal(_text, _at, "\"\"\"", 0, 3) == 0)
        {
            TripleQuoted(origin);
            return;
        }

        var value = new StringBuilder();
        _at++;
        while (true)
        {
            if (_at >= _text.Length)
            {
                throw Refuse(origin, "this quote is never closed");
            }

            var c = _text[_at];
            if (c == '"')
            {
                _at++;
                break;
            }

            if (c < ' ')
            {
                throw Refuse(Here(), c == '\n'
                    ? "a quoted text ends on its line; use \\n, or three quotes for several lines"
                    : $"control character U+{(int)c:X4} inside quotes; write it as \\u{(int)c:X4}");
            }

            if (c == '\\')
            {
                value.Append(Escape());
                continue;
            }

            value.Append(c);
            _at++;
        }

        Add(HoconTokenKind.Quoted, value.ToString(), origin);
    }

    private char Escape()
    {
        var origin = Here();
        var c = Peek(1);
        _at += 2;
        switch (c)
        {
            case '"' or '\\' or '/': return c;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u' when _at + 4 <= _text.Length && ushort.TryParse(
                _text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit):
                _at += 4;
                return (char)unit;
            case 'u':
                throw Refuse(origin, "\\u takes four hexadecimal digits");
            default:
                throw Refuse(origin, "an escape is one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
        }
    }

    /// <summary>Raw up to three quotes; of a longer run of quotes the last three close, the others are text.</summary>
    private void TripleQuoted(HoconOrigin origin)
    {
        var start = _at + 3;
        var end = _text.IndexOf("\"\"\"", start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Refuse(origin, "these three quotes are never closed");
        }

        while (end + 3 < _text.Length && _text[end + 3] == '"')
        {
            end++;
        }

        for (_at = start; _at < end;)
        {
            if (_text[_at++] == '\n')
            {
                StartLine();
            }
        }

        _at = end + 3;
        Add(HoconTokenKind.Quoted, _text[start..end], origin);
    }

    private void StartLine()
    {
        _line++;
        _lineStart = _at;
    }

    private bool StartsComment(int at) => _text[at] == '/' && at + 1 < _text.Length && _text[at + 1] == '/';

    private char Peek(int offset) => _at + offset < _text.Length ? _text[_at + offset] : '\0';

    private void Take(HoconTokenKind kind, int length, HoconOrigin origin)
    {
        Add(kind, _text.Substring(_at, length), origin);
        _at += length;
    }

    private void Add(HoconTokenKind kind, string text, HoconOrigin origin)
    {
        _token = new HoconToken(kind, text, origin);
    }

    private HoconOrigin Here() => new(_file, _line, _at - _lineStart + 1);

    private static HoconException Refuse(HoconOrigin origin, string reason) => new(origin, reason);
}
