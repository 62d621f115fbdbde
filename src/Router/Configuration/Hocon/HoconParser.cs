namespace Router.Configuration.Hocon;

/// <summary>Reads one text into nodes. Included files are read by the loader and merged where they are named.</summary>
internal sealed class HoconParser
{
    private readonly List<HoconToken> _tokens;
    private readonly HoconLoader _loader;
    private readonly string? _file;
    private readonly HoconPlace? _scope;
    private int _at;
    private int _depth;

    /// <param name="tokens">The whole text; the last one is <see cref="HoconTokenKind.End"/>.</param>
    /// <param name="loader">Asked for included files.</param>
    /// <param name="file">The full path, which relative includes start from; null for text that is no file.</param>
    /// <param name="scope">Where this text is included; null for a text of its own.</param>
    /// <param name="depth">Brackets open around the include statement.</param>
    public HoconParser(
        List<HoconToken> tokens, HoconLoader loader, string? file, HoconPlace? scope = null, int depth = 0)
    {
        _tokens = tokens;
        _loader = loader;
        _file = file;
        _scope = scope;
        _depth = depth;
    }

    private HoconToken Current => _tokens[_at];

    /// <returns>An <see cref="ObjectNode"/>, or an <see cref="ArrayNode"/> when the text begins with '['.</returns>
    public HoconNode ParseRoot()
    {
        SkipNewlines();
        var place = _scope ?? HoconPlace.Root;
        HoconNode root;
        if (Current.Kind == HoconTokenKind.OpenBrace)
        {
            root = ParseObject(place);
        }
        else if (Current.Kind == HoconTokenKind.OpenBracket)
        {
            root = ParseArray();
        }
        else
        {
            var bare = new ObjectNode(Current.Origin);
            ParseFields(bare, place, HoconTokenKind.End);
            root = bare;
        }

        SkipNewlines();
        if (Current.Kind != HoconTokenKind.End)
        {
            throw Unexpected(Current.Kind == HoconTokenKind.CloseBrace
                ? "this '}' has no '{'"
                : "nothing may follow the root's closing bracket");
        }

        return root;
    }

    /// <summary>A value alone, as for <c>--set</c>: the text holds nothing else.</summary>
    public HoconNode ParseWholeValue(IReadOnlyList<string> path)
    {
        SkipNewlines();
        var value = ParseValue(HoconPlace.Root.Below(path), "the end");
        SkipNewlines();
        return Current.Kind == HoconTokenKind.End ? value : throw Unexpected("a value was complete here");
    }

    private ObjectNode ParseObject(HoconPlace place)
    {
        var node = new ObjectNode(Current.Origin);
        ParseFields(node, place, HoconTokenKind.CloseBrace);
        return node;
    }

    /// <summary>An array's element is its own anchor: no path of keys leads to it.</summary>
    private ObjectNode ParseElementObject()
    {
        var node = new ObjectNode(Current.Origin);
        ParseFields(node, new HoconPlace(node, []), HoconTokenKind.CloseBrace);
        return node;
    }

    private void ParseFields(ObjectNode node, HoconPlace place, HoconTokenKind close)
    {
        var open = Current.Origin;
        if (close == HoconTokenKind.CloseBrace)
        {
            Enter();
        }

        var separated = true;
        while (true)
        {
            separated |= SkipNewlines();
            if (Current.Kind == close)
            {
                break;
            }

            RefuseBadSeparator(open, separated, close);
            if (IsInclude())
            {
                ParseInclude(node, place);
            }
            else
            {
                ParseField(node, place);
            }

            separated = SkipSeparator();
        }

        if (close == HoconTokenKind.CloseBrace)
        {
            Leave();
        }
    }

    private ArrayNode ParseArray()
    {
        var open = Current.Origin;
        Enter();
        var elements = new List<HoconNode>();
        var separated = true;
        while (true)
        {
            separated |= SkipNewlines();
            if (Current.Kind == HoconTokenKind.CloseBracket)
            {
                break;
            }

            RefuseBadSeparator(open, separated, HoconTokenKind.CloseBracket);
            elements.Add(ParseValue(place: null, "an array's element"));
            separated = SkipSeparator();
        }

        Leave();
        return new ArrayNode(open, elements);
    }

    private void RefuseBadSeparator(HoconOrigin open, bool separated, HoconTokenKind close)
    {
        switch (Current.Kind)
        {
            case HoconTokenKind.End:
                throw new HoconException(open, close == HoconTokenKind.CloseBrace
                    ? "this '{' is never closed"
                    : "this '[' is never closed");
            case HoconTokenKind.Comma:
                throw Unexpected("a comma must follow an element, and only one");
            case HoconTokenKind.CloseBrace or HoconTokenKind.CloseBracket:
                throw Unexpected(close == HoconTokenKind.End
                    ? $"this '{Current.Text}' closes nothing"
                    : $"the bracket opened at line {open.Line} is of the other kind");
        }

        if (!separated)
        {
            throw Unexpected("a comma or a new line must come first");
        }
    }

    /// <summary>At most one comma and any number of new lines.</summary>
    private bool SkipSeparator()
    {
        var separated = SkipNewlines();
        if (Current.Kind == HoconTokenKind.Comma)
        {
            _at++;
            separated = true;
        }

        return separated;
    }

    private void ParseField(ObjectNode node, HoconPlace place)
    {
        var start = _at;
        while (Current.Kind is HoconTokenKind.Blank or HoconTokenKind.Quoted or HoconTokenKind.Unquoted
            or HoconTokenKind.Number or HoconTokenKind.True or HoconTokenKind.False or HoconTokenKind.Null)
        {
            _at++;
        }

        if (Current.Kind is HoconTokenKind.OpenSubstitution or HoconTokenKind.OpenOptionalSubstitution)
        {
            throw Unexpected("a substitution cannot stand in a key");
        }

        if (_at == start)
        {
            throw Unexpected("a key must stand here");
        }

        var keyOrigin = _tokens[start].Origin;
        var path = HoconPath.Parse(_tokens, start, _at);
        if (place.Path.Count + path.Count - 1 > HoconLimits.Depth)
        {
            throw new HoconException(keyOrigin, TooDeep);
        }

        var isBroken = SkipNewlines();
        var separator = Current;
        if (separator.Kind is HoconTokenKind.Colon or HoconTokenKind.Equals or HoconTokenKind.PlusEquals)
        {
            _at++;
            SkipNewlines();
        }
        else if (separator.Kind != HoconTokenKind.OpenBrace)
        {
            var reason = $"key {HoconPath.Print(path)} must be followed by '=', ':', '+=' or '{{'";
            throw isBroken ? new HoconException(keyOrigin, reason) : Unexpected(reason);
        }

        var full = place.Below(path);
        if (separator.Kind == HoconTokenKind.PlusEquals)
        {
            node.Set(path, ParseAppended(full, path, separator.Origin), keyOrigin);
        }
        else
        {
            node.Set(path, ParseValue(full, $"the value of {HoconPath.Print(path)}"), keyOrigin);
        }
    }

    /// <summary><c>a += b</c> is <c>a = ${?a} [b]</c>, where ${?a} means this very key and nothing else.</summary>
    private JoinNode ParseAppended(HoconPlace full, IReadOnlyList<string> path, HoconOrigin origin)
    {
        var own = new SubstitutionNode(origin, path, optional: true)
        {
            Scope = full with { Path = [.. full.Path.Take(full.Path.Count - path.Count)] },
            ScopeOnly = true,
        };
        var element = ParseValue(place: null, $"the value of {HoconPath.Print(path)}");
        return new JoinNode(origin, [own, new ArrayNode(origin, [element])]);
    }

    /// <param name="place">Where the value will be; null inside an array.</param>
    /// <param name="what">Names the value when there is none.</param>
    private HoconNode ParseValue(HoconPlace? place, string what)
    {
        var pieces = new List<HoconNode>();
        HoconToken? blank = null;
        while (true)
        {
            var token = Current;
            if (token.Kind == HoconTokenKind.Blank)
            {
                blank = pieces.Count == 0 ? null : token;
                _at++;
                continue;
            }

            var piece = ParsePiece(place);
            if (piece is null)
            {
                break;
            }

            if (blank is { } between)
            {
                var text = new HoconScalar(HoconType.String, between.Text, between.Origin);
                pieces.Add(new ScalarNode(text, isBlank: true));
                blank = null;
            }

            pieces.Add(piece);
        }

        return pieces.Count switch
        {
            0 => throw Unexpected($"{what} must stand here"),
            1 => pieces[0],
            _ => Join(pieces),
        };
    }

    private static HoconNode Join(List<HoconNode> pieces)
    {
        if (!pieces.TrueForAll(p => p is ScalarNode))
        {
            return new JoinNode(pieces[0].Origin, pieces);
        }

        var text = string.Concat(pieces.Select(p => ((ScalarNode)p).Value.Text));
        return new ScalarNode(new HoconScalar(HoconType.String, text, pieces[0].Origin));
    }

    /// <returns>Null at a token that ends a value.</returns>
    private HoconNode? ParsePiece(HoconPlace? place)
    {
        var token = Current;
        switch (token.Kind)
        {
            case HoconTokenKind.Quoted or HoconTokenKind.Unquoted:
                return Scalar(HoconType.String, token);
            case HoconTokenKind.Number:
                return Scalar(HoconType.Number, token);
            case HoconTokenKind.True or HoconTokenKind.False:
                return Scalar(HoconType.Boolean, token);
            case HoconTokenKind.Null:
                return Scalar(HoconType.Null, token);
            case HoconTokenKind.OpenBrace:
                return place is null ? ParseElementObject() : ParseObject(place);
            case HoconTokenKind.OpenBracket:
                return ParseArray();
            case HoconTokenKind.OpenSubstitution or HoconTokenKind.OpenOptionalSubstitution:
                return ParseSubstitution();
            case HoconTokenKind.Colon or HoconTokenKind.Equals or HoconTokenKind.PlusEquals:
                throw Unexpected($"'{token.Text}' cannot stand in a value; quote it if it is text");
            default:
                return null;
        }
    }

    private ScalarNode Scalar(HoconType type, HoconToken token)
    {
        _at++;
        return new ScalarNode(new HoconScalar(type, token.Text, token.Origin));
    }

    private SubstitutionNode ParseSubstitution()
    {
        var open = Current;
        var start = ++_at;
        while (Current.Kind is not (HoconTokenKind.CloseBrace or HoconTokenKind.End or HoconTokenKind.Newline))
        {
            _at++;
        }

        if (Current.Kind != HoconTokenKind.CloseBrace)
        {
            throw new HoconException(open.Origin, $"this '{open.Text}' is not closed on its line");
        }

        var end = _at++;
        var isList = end - start > 2 && _tokens[end - 1].Kind == HoconTokenKind.CloseBracket
            && _tokens[end - 2].Kind == HoconTokenKind.OpenBracket;
        var path = HoconPath.Parse(_tokens, start, isList ? end - 2 : end);
        return new SubstitutionNode(open.Origin, path, open.Kind == HoconTokenKind.OpenOptionalSubstitution)
        {
            List = isList,
            Scope = _scope,
        };
    }

    /// <summary>The word is special only unquoted, alone, and at the start of a key.</summary>
    private bool IsInclude() => Current is { Kind: HoconTokenKind.Unquoted, Text: "include" };

    private void ParseInclude(ObjectNode node, HoconPlace place)
    {
        var origin = Current.Origin;
        _at++;
        var required = false;
        var kind = "";
        var open = 0;
        for (SkipNewlines(); Current.Kind == HoconTokenKind.Unquoted; SkipNewlines())
        {
            var text = Current.Text;
            while (text.Length > 0)
            {
                var word = kind.Length > 0 ? null
                    : Array.Find(IncludeWords, w => text.StartsWith(w, StringComparison.Ordinal));
                if (word is null || (word == "required(" && required))
                {
                    throw Unexpected(IncludeForm);
                }

                required |= word == "required(";
                kind = word == "required(" ? kind : word;
                text = text[word.Length..];
                open++;
            }

            _at++;
        }

        if (Current.Kind != HoconTokenKind.Quoted)
        {
            throw Unexpected(IncludeForm);
        }

        var name = Current;
        _at++;
        CloseInclude(open);
        if (kind is "url(" or "classpath(")
        {
            throw new HoconException(origin, $"include {kind}\"{name.Text}\") is refused: configuration is read "
                + "from files only, never from a network or an assembly");
        }

        var included = _loader.Include(name.Text, required, _file, name.Origin, place, _depth);
        if (included is not null)
        {
            node.Merge(included);
        }
    }

    private void CloseInclude(int open)
    {
        while (open > 0)
        {
            SkipNewlines();
            var text = Current.Text;
            if (Current.Kind != HoconTokenKind.Unquoted || text.Length > open || text.Trim(')').Length > 0)
            {
                throw Unexpected("the include's ')' must stand here");
            }

            open -= text.Length;
            _at++;
        }
    }

    private static readonly string[] IncludeWords = ["required(", "file(", "url(", "classpath("];

    private const string IncludeForm =
        "include takes one quoted file name, or file(\"...\"), with required(...) around it if it must exist";

    private const string TooDeep = "nested more than 512 levels deep";

    private bool SkipNewlines()
    {
        var any = false;
        while (Current.Kind is HoconTokenKind.Newline or HoconTokenKind.Blank)
        {
            any |= Current.Kind == HoconTokenKind.Newline;
            _at++;
        }

        return any;
    }

    private void Enter()
    {
        if (++_depth > HoconLimits.Depth)
        {
            throw new HoconException(Current.Origin, TooDeep);
        }

        _at++;
    }

    private void Leave()
    {
        _depth--;
        _at++;
    }

    private HoconException Unexpected(string expectation) =>
        new(Current.Origin, $"unexpected {HoconPath.Name(Current)}: {expectation}");
}
