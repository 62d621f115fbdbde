namespace Router.Configuration;

/// <summary>Handlers, actors and the like that a program has added, for routes to name.</summary>
internal sealed class ProgramParts
{
    private readonly Dictionary<(Type Type, string Name), Delegate> _parts = [];

    public static ProgramParts None { get; } = new();

    public ProgramParts Add<T>(string name, Func<T> make)
    {
        _parts.Add((typeof(T), name), make);
        return this;
    }

    /// <returns>What makes one, or finds it; null if the program did not add it.</returns>
    public Func<T>? Find<T>(string name) => (Func<T>?)_parts.GetValueOrDefault((typeof(T), name));

    /// <summary>The names of a type, for messages.</summary>
    public string NamesOf<T>() =>
        string.Join(", ", _parts.Keys
            .Where(static part => part.Type == typeof(T))
            .Select(static part => part.Name)
            .Order(StringComparer.Ordinal)) is { Length: > 0 } list ? list : "none";
}
