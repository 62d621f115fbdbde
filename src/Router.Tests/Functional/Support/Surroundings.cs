using System.Globalization;
using System.Runtime.InteropServices;
using Router.Net;

namespace Router.Tests.Functional;

/// <summary>Commands that change what a process meets and then execute the words that follow them.</summary>
internal static class Surroundings
{
    /// <summary>Programs for <see cref="FileSystem"/>.</summary>
    public const string MountTool = "unshare";

    /// <summary>Programs for <see cref="Refusing"/>.</summary>
    public const string FilterTool = "python3";

    /// <summary>Loads a filter (seccomp(2)): number of the call, errno, and the argument's index, test and value.
    /// </summary>
    private const string LoadFilter =
        """
        import ctypes, os, struct, sys
        call, errno, index, test, value = (int(word) for word in sys.argv[1:6])
        LOAD, EQUAL, ALLOW, REFUSE = 0x20, 0x15, 0x7fff0000, 0x00050000
        program = b"".join(struct.pack("=HBBI", *step) for step in [
            (LOAD, 0, 0, 0), (EQUAL, 0, 3, call),
            (LOAD, 0, 0, 16 + 8 * index), (test, 0, 1, value),
            (6, 0, 0, REFUSE | errno), (6, 0, 0, ALLOW)])
        held = ctypes.create_string_buffer(program)
        filter = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
        os.execvp(sys.argv[6], sys.argv[6:])
        """;

    /// <summary>What an argument of the call is compared for.</summary>
    public enum Test
    {
        Equal = 0x15,
        AtLeast = 0x35,
    }

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>accept4(2), socket(2) and epoll_ctl(2) by their numbers on this machine.</summary>
    public static int Accept => IsArm ? 242 : 288;

    public static int MakeSocket => IsArm ? 198 : 41;

    public static int Watch => IsArm ? 21 : 233;

    /// <summary>A file system in memory of the process's own.</summary>
    /// <param name="options">Of mount(8), such as ro.</param>
    public static IEnumerable<string> FileSystem(string folder, string options) =>
        [MountTool, "--mount", "--", "sh", "-c", $"mount -t tmpfs -o {options} tmpfs '{folder}' && exec \"$@\"", "sh"];

    /// <summary>The kernel refuses a system call with the errno where an argument passes the test.</summary>
    public static IEnumerable<string> Refusing(
        int call, Errno errno, int argument = 0, Test test = Test.AtLeast, int value = 0) =>
        [FilterTool, "-c", LoadFilter, .. Words(call, (int)errno, argument, (int)test, value)];

    private static IEnumerable<string> Words(params int[] numbers) =>
        numbers.Select(static number => number.ToString(CultureInfo.InvariantCulture));
}
