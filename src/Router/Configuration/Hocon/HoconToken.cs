namespace Router.Configuration.Hocon;

internal enum HoconTokenKind
{
    End,
    Newline,
    Blank,
    Comma,
    Colon,
    Equals,
    PlusEquals,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Quoted,
    Unquoted,
    Number,
    True,
    False,
    Null,
    OpenSubstitution,
    OpenOptionalSubstitution,
}

/// <param name="Text">A string's value after escapes; everything else as written.</param>
/// <param name="Origin">Its first character.</param>
internal sealed record HoconToken(HoconTokenKind Kind, string Text, HoconOrigin Origin);
