namespace Router.Tests;

/// <summary>A configuration file that is gone after the test.</summary>
internal sealed class TextFile : IDisposable
{
    public TextFile(string text)
    {
        Path = System.IO.Path.GetTempFileName();
        File.WriteAllText(Path, text);
    }

    public string Path { get; }

    public void Write(string text) => File.WriteAllText(Path, text);

    public void Dispose() => File.Delete(Path);
}
