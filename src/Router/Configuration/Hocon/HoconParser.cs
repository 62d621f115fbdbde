namespace Router.Configuration.Hocon;

/// <summary>Reads one text into nodes. Included files are read by the loader and merged where they are named.</summary>
internal sealed class HoconParser
{
    private readonly HoconLexer _lexer;
    private readonly HoconLoader _loader;
    private readonly string? _file;
    private readonly HoconPlace? _scope;
    private int _depth;

    /// <param name="lexer">At the text's beginning.</param>
    /// <param name="loader">Asked for included files.</param>
    /// <param name="file">The full path, which relative includes start from; null for text that is no file.</param>
    /// <param name="scope">Where this text is included; null for a text of its own.</param>
    /// <param name="depth">Brackets open around the include statement.</param>
    public HoconParser(
        HoconLexer lexer, HoconLoader loader, string? file, HoconPlace? scope = null, int depth = 0)
    {
        _lexer = lexer;
        _loader = loader;
        _file = file;
        _scope = scope;
        _depth = depth;
        Current = lexer.Next();
    }

    private HoconToken Current { get; set; }

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

    /// <summary>One <c>path=value</c> alone, as for <c>--set</c>: the text holds nothing else.</summary>
    public ObjectNode ParseAssignment()
    {
        var origin = Current.Origin;
        var path = ParsePath();
        if (Current.Kind != HoconTokenKind.Equals)
        {
            throw Unexpected("a set has the form path=value");
        }

        Advance();
        SkipNewlines();
        var value = ParseValue(HoconPlace.Root.Below(path), path);
        SkipNewlines();
        if (Current.Kind != HoconTokenKind.End)
        {
            throw Unexpected("a value was complete here");
        }

        var root = new ObjectNode(origin);
        root.Set(path, value, origin);
        return root;
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
            elements.Add(ParseValue(place: null, path: null));
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
            Advance();
            separated = true;
        }

        return separated;
    }

    private void ParseField(ObjectNode node, HoconPlace place)
    {
        var keyOrigin = Current.Origin;
        if (!HoconPathReader.Takes(Current.Kind) && Current.Kind is not (HoconTokenKind.OpenSubstitution
            or HoconTokenKind.OpenOptionalSubstitution))
        {
            throw Unexpected("a key must stand here");
        }

        var path = ParsePath();
        if (place.Path.Count + path.Count - 1 > HoconLimits.Depth)
        {
            throw new HoconException(keyOrigin, TooDeep);
        }

        var isBroken = SkipNewlines();
        var separator = Current;
        if (separator.Kind is HoconTokenKind.Colon or HoconTokenKind.Equals or HoconTokenKind.PlusEquals)
        {
            Advance();
            SkipNewlines();
        }
        else if (separator.Kind != HoconTokenKind.OpenBrace)
        {
            var reason = $"key {HoconPath.Print(path)} must be followed by '=', ':', '+=' or '{{'";
            throw isBroken ? new HoconException(keyOrigin, reason) : Unexpected(reason);
        }

        var full = place.Below(path);
        var value = separator.Kind == HoconTokenKind.PlusEquals
            ? ParseAppended(full, path, separator.Origin)
            : ParseValue(full, path);
        var made = node.Set(path, value, keyOrigin);
        _loader.Count(keyOrigin, 1 + (made * HoconLimits.ObjectSize));
    }

    /// <summary>A path, up to the first token that cannot be part of one.</summary>
    private IReadOnlyList<string> ParsePath()
    {
        var reader = new HoconPathReader();
        while (HoconPathReader.Takes(Current.Kind))
        {
            reader.Add(Current);
            Advance();
        }

        if (Current.Kind is HoconTokenKind.OpenSubstitution or HoconTokenKind.OpenOptionalSubstitution)
        {
            throw Unexpected("a substitution cannot stand in a key");
        }

        return reader.End(Current.Origin);
    }

    /// <summary><c>a += b</c> is <c>a = ${?a} [b]</c>, where ${?a} means this very key and nothing else.</summary>
    private ConcatenationNode ParseAppended(HoconPlace full, IReadOnlyList<string> path, HoconOrigin origin)
    {
        var own = new SubstitutionNode(origin, path, optional: true)
        {
            Scope = full with { Path = [.. full.Path.Take(full.Path.Count - path.Count)] },
            ScopeOnly = true,
        };
        var element = ParseValue(place: null, path);
        return new ConcatenationNode(origin, [own, new ArrayNode(origin, [element])]);
    }

    /// <param name="place">Where the value will be; null inside an array.</param>
    /// <param name="path">The key, to name the value when there is none; null for an array's element.</param>
    private HoconNode ParseValue(HoconPlace? place, IReadOnlyList<string>? path)
    {
        var pieces = new ConcatenationReader(_loader);
        while (true)
        {
            var token = Current;
            if (token.Kind == HoconTokenKind.Blank)
            {
                pieces.AddBlank(token);
                Advance();
            }
            else if (ScalarType(token.Kind) is { } type)
            {
                pieces.AddScalar(type, token);
                Advance();
            }
            else if (ParsePiece(place) is { } piece)
            {
                pieces.Add(piece);
            }
            else
            {
                return pieces.End() ?? throw Unexpected(path is null
                    ? "an array's element must stand here"
                    : $"the value of {HoconPath.Print(path)} must stand here");
            }
        }
    }

    private static HoconType? ScalarType(HoconTokenKind kind) => kind switch
    {
        HoconTokenKind.Quoted or HoconTokenKind.Unquoted => HoconType.String,
        HoconTokenKind.Number => HoconType.Number,
        HoconTokenKind.True or HoconTokenKind.False => HoconType.Boolean,
        HoconTokenKind.Null => HoconType.Null,
        _ => null,
    };

    /// <returns>Null at a token that ends a value.</returns>
    private HoconNode? ParsePiece(HoconPlace? place)
    {
        var token = Current;
        switch (token.Kind)
        {
            case HoconTokenKind.OpenBrace:
                _loader.Count(token.Origin, HoconLimits.ObjectSize);
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

    private SubstitutionNode ParseSubstitution()
    {
        var open = Current;
        Advance();
        var path = new HoconPathReader();
        while (HoconPathReader.Takes(Current.Kind))
        {
            path.Add(Current);
            Advance();
        }

        var behind = Current.Origin;
        var isList = Current.Kind == HoconTokenKind.OpenBracket;
        if (isList)
        {
            Advance();
            if (Current.Kind != HoconTokenKind.CloseBracket)
            {
                throw Unexpected("']' must stand here: NAME[] reads a list from the environment");
            }

            Advance();
            SkipBlanks();
        }

        if (Current.Kind is HoconTokenKind.End or HoconTokenKind.Newline)
        {
            throw new HoconException(open.Origin, $"this '{open.Text}' is not closed on its line");
        }

        if (Current.Kind != HoconTokenKind.CloseBrace)
        {
            throw isList ? Unexpected("'}' must stand here") : Refusal(path);
        }

        Advance();
        return new SubstitutionNode(
            open.Origin, path.End(behind), open.Kind == HoconTokenKind.OpenOptionalSubstitution)
        {
            List = isList,
            Scope = _scope,
        };
    }

    /// <summary>What the path itself says against the current token.</summary>
    private HoconException Refusal(HoconPathReader path)
    {
        path.Add(Current);
        return Unexpected("'}' must stand here");
    }

    /// <summary>The word is special only unquoted, alone, and at the start of a key.</summary>
    private bool IsInclude() => Current is { Kind: HoconTokenKind.Unquoted, Text: "include" };

    private void ParseInclude(ObjectNode node, HoconPlace place)
    {
        var origin = Current.Origin;
        Advance();
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

            Advance();
        }

        if (Current.Kind != HoconTokenKind.Quoted)
        {
            throw Unexpected(IncludeForm);
        }

        var name = Current;
        Advance();
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
            Advance();
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
            Advance();
        }

        return any;
    }

    private void SkipBlanks()
    {
        while (Current.Kind == HoconTokenKind.Blank)
        {
            Advance();
        }
    }

    private void Advance() => Current = _lexer.Next();

    private void Enter()
    {
        if (++_depth > HoconLimits.Depth)
        {
            throw new HoconException(Current.Origin, TooDeep);
        }

        Advance();
    }

    private void Leave()
    {
        _depth--;
        Advance();
    }

    private HoconException Unexpected(string expectation) =>
        new(Current.Origin, $"unexpected {HoconPath.Name(Current)}: {expectation}");
}
