using System.Globalization;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Users and groups by name, as the system knows them: getpwnam_r(3), getgrnam_r(3).</summary>
internal static unsafe class UnixAccounts
{
    private const int BufferBytes = 16 * 1024;
    private const int EntryBytes = 64;      // struct passwd 48, struct group 32
    private const int IdOffset = 16;        // behind two pointers, in both

    /// <summary>Finds the id of a user by its number or its name.</summary>
    public static bool TryUser(string text, out int id) =>
        TryNumber(text, out id) || TryFind(text, isUser: true, out id);

    /// <summary>Finds the id of a group by its number or its name.</summary>
    public static bool TryGroup(string text, out int id) =>
        TryNumber(text, out id) || TryFind(text, isUser: false, out id);

    private static bool TryNumber(string text, out int id) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static bool TryFind(string name, bool isUser, out int id)
    {
        id = -1;
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var entry = stackalloc byte[EntryBytes];
        var buffer = (byte*)NativeMemory.Alloc(BufferBytes);
        void* found = null;
        var result = isUser
            ? LibcUnix.FindUser(name, entry, buffer, BufferBytes, &found)
            : LibcUnix.FindGroup(name, entry, buffer, BufferBytes, &found);
        if (result == 0 && found is not null)
        {
            id = *(int*)(entry + IdOffset);
        }

        NativeMemory.Free(buffer);
        return id >= 0;
    }
}
