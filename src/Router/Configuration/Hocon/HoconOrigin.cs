namespace Router.Configuration.Hocon;

/// <summary>Where something was written.</summary>
/// <param name="File">The file's path as it was given, or a name in brackets for text that is no file.</param>
/// <param name="Line">Counted from 1; 0 when unknown.</param>
/// <param name="Column">Counted from 1 in UTF-16 units; 0 when unknown.</param>
internal readonly record struct HoconOrigin(string File, int Line, int Column)
{
    /// <summary><c>file:line:column</c>, the form of every refusal.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}";
}
