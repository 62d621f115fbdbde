using System.Text;

namespace Router.Processes;

/// <summary>Starts this process's program anew in the same process, as the shell's exec does: same process id, same
/// arguments, same open standard streams. See execve(2). Linux alone.</summary>
internal static unsafe class ProcessImage
{
    private const string Program = "/proc/self/exe";
    private const string Arguments = "/proc/self/cmdline";
    private const string Environment = "/proc/self/environ";

    /// <summary>Replaces what runs by the same program, with a variable added to its first environment. Whatever this
    /// process has opened with O_CLOEXEC, as the runtime does, is closed. Any thread; all end.</summary>
    /// <remarks>It returns only if that cannot be done; then nothing has changed.</remarks>
    public static void TryStartAnew(string variable, string value)
    {
        try
        {
            var program = File.ResolveLinkTarget(Program, returnFinalTarget: false)!.FullName;
            var path = Encoding.UTF8.GetBytes($"{program}\0");
            var arguments = File.ReadAllBytes(Arguments);
            byte[] environment =
                [.. File.ReadAllBytes(Environment), .. Encoding.UTF8.GetBytes($"{variable}={value}\0")];
            fixed (byte* file = path, words = arguments, settings = environment)
            {
                var (argv, envp) = (PointersTo(arguments, words), PointersTo(environment, settings));
                fixed (nint* to = argv, with = envp)
                {
                    _ = LibcProcesses.Execute(file, (byte**)to, (byte**)with);
                }
            }
        }
        catch (IOException)
        {
            // There is no /proc, as within some sandboxes.
        }
        catch (UnauthorizedAccessException)
        {
        }
    }

    /// <returns>Where each text begins, of those that end with a zero byte, and a null pointer.</returns>
    private static nint[] PointersTo(byte[] texts, byte* first)
    {
        var pointers = new List<nint>();
        for (var at = 0; texts.AsSpan(at).IndexOf((byte)0) is >= 0 and var length; at += length + 1)
        {
            pointers.Add((nint)(first + at));
        }

        return [.. pointers, 0];
    }
}
