using System.Globalization;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// 128 bits: 64 drawn when the process starts, 16 for the loop, 48 counted. Unique across restarts and members.
/// </summary>
public readonly record struct SessionId(ulong High, ulong Low)
{
    /// <summary>32 hexadecimal digits, as in logs.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}

/// <summary>Makes the ids of one loop. Loop thread only.</summary>
internal sealed class SessionIdSource(ulong process, int loop)
{
    private ulong _count;

    public SessionId Next() => new(process, ((ulong)loop << 48) | ++_count);

    public static ulong DrawProcess(RandomSource random) => random.NextUInt64();
}
