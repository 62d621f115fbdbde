using System.Text;
using Router.Reporting.Sinks;

namespace Router.CommandLine;

/// <summary>Standard output where it is a pipe. <see cref="Console"/> takes what is written to a pipe whose reader has
/// gone, and says nothing: a command that follows something would never end behind <c>| head</c>. This one throws.
/// </summary>
/// <remarks>Linux. UTF-8, and nothing is kept back. One thread.</remarks>
internal sealed class StandardOutput : TextWriter
{
    /// <summary>As a shell says of who dies by SIGPIPE.</summary>
    public const int ExitBroken = 141;

    public override Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Whether a write has failed: nobody reads any more.</summary>
    public bool IsBroken { get; private set; }

    /// <returns>One for a pipe; for anything else <paramref name="console"/>.</returns>
    public static TextWriter Open(TextWriter console) => OperatingSystem.IsLinux()
        && new FileInfo("/proc/self/fd/1").LinkTarget?.StartsWith("pipe:", StringComparison.Ordinal) == true
            ? new StandardOutput()
            : console;

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write($"{value}{NewLine}");

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <exception cref="IOException">Nobody reads any more.</exception>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        var bytes = new byte[Encoding.GetByteCount(buffer)];
        Encoding.GetBytes(buffer, bytes);
        var wait = default(SpinWait);
        for (var left = bytes.AsSpan(); !left.IsEmpty;)
        {
            var taken = WriteSome(left);
            left = left[taken..];
            if (taken == 0)
            {
                wait.SpinOnce();   // who made the pipe has made it one that does not block
            }
        }
    }

    private int WriteSome(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return DescriptorOutput.Write(DescriptorOutput.StandardOutput, bytes, "the output");
        }
        catch (IOException)
        {
            IsBroken = true;
            throw;
        }
    }
}
