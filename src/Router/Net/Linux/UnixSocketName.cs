using System.Text;

namespace Router.Net;

/// <summary>struct sockaddr_un: a name as the kernel takes and gives it.</summary>
internal unsafe struct UnixSocketName
{
    /// <summary>The family, and 108 bytes of sun_path.</summary>
    public const int Bytes = 110;

    /// <summary>sizeof(sa_family_t): an address that is no longer has no name.</summary>
    public const int FamilyBytes = 2;

    public fixed byte Raw[Bytes];

    /// <summary>Writes the name of an address.</summary>
    /// <returns>Its length, or -ENOENT where it has none or is forgotten.</returns>
    public static int Write(in SocketAddr address, byte* raw)
    {
        var name = UnixNames.Find(address)?.Bytes;
        if (name is null || name.Length == 0)
        {
            return -(int)Errno.ENOENT;
        }

        *(ushort*)raw = SocketAddr.FamilyUnix;
        name.CopyTo(new Span<byte>(raw + FamilyBytes, name.Length));
        if (name[0] == 0)
        {
            return FamilyBytes + name.Length;
        }

        raw[FamilyBytes + name.Length] = 0;
        return FamilyBytes + name.Length + 1;
    }

    /// <summary>The name in what the kernel has written; empty for who has none.</summary>
    public static ReadOnlySpan<byte> Read(byte* raw, uint length)
    {
        if (length <= FamilyBytes)
        {
            return [];
        }

        var name = new ReadOnlySpan<byte>(raw + FamilyBytes, (int)Math.Min(length, Bytes) - FamilyBytes);
        return name[0] == 0 || name.IndexOf((byte)0) is not (>= 0 and var end) ? name : name[..end];
    }

    /// <summary>The path of an address; null for an abstract name.</summary>
    public static string? PathOf(in SocketAddr address) =>
        UnixNames.Find(address)?.Bytes is [not 0, ..] path ? Encoding.UTF8.GetString(path) : null;
}
