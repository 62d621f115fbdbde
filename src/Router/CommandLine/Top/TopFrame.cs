using Spectre.Console;
using Spectre.Console.Rendering;

namespace Router.CommandLine.Top;

/// <summary>A drawn screen as text.</summary>
internal static class TopFrame
{
    /// <param name="screen">What is drawn.</param>
    /// <param name="width">In cells.</param>
    /// <param name="height">In lines.</param>
    /// <param name="isAnsi">Whether it has colours, as sequences for a terminal.</param>
    /// <returns>Lines, as many as <paramref name="height"/> at most.</returns>
    public static IReadOnlyList<string> LinesOf(IRenderable screen, int width, int height, bool isAnsi)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isAnsi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isAnsi ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new Output(text, width, height),
        });
        console.Write(screen);
        return [.. text.ToString().TrimEnd('\n').Split('\n').Take(height)];
    }

    private sealed class Output(TextWriter writer, int width, int height) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => false;

        public int Width => width;

        public int Height => height;

        public void SetEncoding(System.Text.Encoding encoding)
        {
            // A string has none.
        }
    }
}
