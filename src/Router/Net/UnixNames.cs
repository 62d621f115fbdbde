using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Router.Net;

/// <summary>Who is at the other end of a unix socket, as the kernel tells it: SO_PEERCRED of a connection,
/// SCM_CREDENTIALS of a datagram. See unix(7).</summary>
/// <param name="ProcessId">0 for a process of another pid namespace.</param>
/// <param name="UserId">Effective; 65534 for one that this user namespace does not know.</param>
/// <param name="GroupId">Effective.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId, uint GroupId);

/// <summary>What a <see cref="SocketAddr"/> of a unix socket stands for. Immutable but for its count.</summary>
internal sealed class UnixName
{
    public UnixName(byte[] name, PeerCredentials? credentials, ulong number)
    {
        Bytes = name;
        Credentials = credentials;
        Number = number;
        Spare = new LinkedListNode<UnixName>(this);
    }

    /// <summary>sun_path without a closing NUL; an abstract name begins with one. Empty: unnamed.</summary>
    public byte[] Bytes { get; }

    /// <summary>Of who was met under that name; null for a name of ours, or of the configuration.</summary>
    public PeerCredentials? Credentials { get; }

    public ulong Number { get; }

    /// <summary>How many sessions and others need the name. Changed under the table's lock.</summary>
    public int Holders { get; set; }

    /// <summary>The place in the list of names that nobody holds.</summary>
    public LinkedListNode<UnixName> Spare { get; }

    public string Text => UnixAddress.TextOf(Bytes);
}

/// <summary>
/// The names behind the addresses of unix sockets, which do not fit into one: an address holds a number. A name that
/// is met with other credentials is another peer.
/// </summary>
/// <remarks>
/// Any thread; changes are made under a lock. UDP and TCP do not touch the table. It holds the names that a session
/// needs, and the last <see cref="SpareMax"/> that none needs any more, so that a record of a peer that is gone can
/// still be written. A number is never given twice: one whose name is forgotten leads to none.
/// </remarks>
internal static class UnixNames
{
    /// <summary>The most names that are kept although nobody holds them.</summary>
    public const int SpareMax = 16_384;

    /// <summary>The most names of configurations, which are held for good.</summary>
    public const int PinnedMax = 65_536;

    private static readonly Lock Gate = new();
    private static readonly ConcurrentDictionary<UnixName, UnixName> Names = new(new Comparer());
    private static readonly ConcurrentDictionary<UnixName, UnixName>.AlternateLookup<Key> ByKey =
        Names.GetAlternateLookup<Key>();

    private static readonly ConcurrentDictionary<ulong, UnixName> Numbers = [];
    private static readonly LinkedList<UnixName> Spares = new();
    private static ulong _lastNumber;
    private static int _pinned;

    public static int Count => Names.Count;

    /// <summary>The number of a name; 0 for an empty name without credentials. Takes no lock for a known name, because
    /// it is asked for every message.</summary>
    public static ulong NumberOf(ReadOnlySpan<byte> name, PeerCredentials? credentials)
    {
        if (name.IsEmpty && credentials is null)
        {
            return 0;
        }

        if (ByKey.TryGetValue(new Key(name, credentials), out var known))
        {
            return known.Number;
        }

        lock (Gate)
        {
            return Take(name, credentials).Number;
        }
    }

    /// <summary>The number of a name of the configuration, which stays in the table: a reload finds it
    /// again.</summary>
    public static ulong PinnedNumberOf(ReadOnlySpan<byte> name)
    {
        lock (Gate)
        {
            var found = Take(name, credentials: null);
            if (found.Holders == 0 && _pinned < PinnedMax)
            {
                _pinned++;
                Hold(found);
            }

            return found.Number;
        }
    }

    public static UnixName? Find(in SocketAddr address)
    {
        var number = address.Word1;
        return address.IsUnix && number != 0 ? Numbers.GetValueOrDefault(number) : null;
    }

    /// <summary>Keeps the name of an address until <see cref="Return"/>, while a session of that peer is
    /// open.</summary>
    public static void Hold(in SocketAddr address)
    {
        lock (Gate)
        {
            if (Numbers.TryGetValue(address.Word1, out var found))
            {
                Hold(found);
            }
        }
    }

    public static void Return(in SocketAddr address)
    {
        lock (Gate)
        {
            if (Numbers.TryGetValue(address.Word1, out var found) && found.Holders > 0 && --found.Holders == 0)
            {
                KeepSpare(found);
            }
        }
    }

    private static void Hold(UnixName name)
    {
        if (name.Holders++ == 0)
        {
            Spares.Remove(name.Spare);
        }
    }

    private static UnixName Take(ReadOnlySpan<byte> name, PeerCredentials? credentials)
    {
        if (ByKey.TryGetValue(new Key(name, credentials), out var found))
        {
            return found;
        }

        var made = new UnixName(name.ToArray(), credentials, ++_lastNumber);
        Numbers.TryAdd(made.Number, made);   // first: whoever finds the name may ask by its number
        Names.TryAdd(made, made);
        KeepSpare(made);
        return made;
    }

    private static void KeepSpare(UnixName name)
    {
        Spares.AddLast(name.Spare);
        if (Spares.Count > SpareMax)
        {
            var oldest = Spares.First!.Value;
            Spares.RemoveFirst();
            Names.TryRemove(oldest, out _);
            Numbers.TryRemove(oldest.Number, out _);
        }
    }

    private readonly ref struct Key(ReadOnlySpan<byte> name, PeerCredentials? credentials)
    {
        public readonly ReadOnlySpan<byte> Name = name;
        public readonly PeerCredentials? Credentials = credentials;
    }

    /// <summary>The hash is the runtime's, seeded per process: peers choose their names.</summary>
    private sealed class Comparer : IEqualityComparer<UnixName>, IAlternateEqualityComparer<Key, UnixName>
    {
        public bool Equals(UnixName? x, UnixName? y) => ReferenceEquals(x, y)
            || (x is not null && y is not null && Equals(new Key(x.Bytes, x.Credentials), y));

        public int GetHashCode([DisallowNull] UnixName name) => GetHashCode(new Key(name.Bytes, name.Credentials));

        public bool Equals(Key key, UnixName other) =>
            key.Credentials == other.Credentials && key.Name.SequenceEqual(other.Bytes);

        public int GetHashCode(Key key)
        {
            var hash = new HashCode();
            hash.AddBytes(key.Name);
            hash.Add(key.Credentials);
            return hash.ToHashCode();
        }

        public UnixName Create(Key key) => throw new InvalidOperationException("names are made under a number");
    }
}
