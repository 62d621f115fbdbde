using System.Net;
using Router.Net;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.Tests.Sessions;

public sealed class SessionTableTests
{
    private const uint LastPlace = uint.MaxValue;   // of any segment

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_operations_agree_with_a_dictionary(ulong seed)
    {
        using var rig = new SessionRig(seed);
        var random = new SeededRandom(seed);
        var table = new SessionTable(random.Fork());
        var model = new Dictionary<(SocketAddr, LocalAddr), SessionContext>();
        for (var step = 0; step < 30_000; step++)
        {
            // First grows, then mostly removes and meets again.
            var key = RandomKey(random, step < 15_000 ? 3_000 : 300);
            var hash = table.HashOf(key.Peer, key.Local);
            var known = model.GetValueOrDefault(key);
            Assert.Same(known, table.Find(hash, key.Peer, key.Local));
            if (known is null)
            {
                var session = rig.Session(key.Peer, key.Local);
                table.Add(hash, session);
                model[key] = session;
            }
            else if (random.Chance(0.5))
            {
                Assert.True(table.Remove(known));
                Assert.False(table.Remove(known));
                model.Remove(key);
            }

            Assert.Equal(model.Count, table.Count);
        }

        Assert.Equal(model.Values.ToHashSet(), table.All().ToHashSet());
        foreach (var ((peer, local), session) in model)
        {
            Assert.Same(session, table.Find(table.HashOf(peer, local), peer, local));
            Assert.Same(session, FindById(table, session.Id));
        }

        Assert.Null(FindById(table, rig.Session(SessionRig.At("192.0.2.1:1")).Id));
        Assert.Null(FindById(table, new SessionId(8, model.Values.First().Id.Low)));   // of another process
    }

    private static SessionContext? FindById(SessionTable table, SessionId id)
    {
        var before = int.MaxValue;
        return table.Sessions.Find(id, ref before, int.MaxValue);
    }

    /// <summary>A segment's places are kept when it divides: what sessions that open leave as garbage, young
    /// collections stop the loop for.</summary>
    [Fact]
    public void Growing_to_100_000_sessions_allocates_less_than_two_places_and_a_half_for_each()
    {
        const int Sessions = 100_000;
        using var rig = new SessionRig();
        var table = new SessionTable(rig.Random);
        var sessions = Enumerable.Range(0, Sessions)
            .Select(number => new IPEndPoint(new IPAddress(0x0A00_000A + ((long)number << 8)), 5_000))
            .Select(peer => rig.Session(SocketAddr.From(peer)))
            .ToArray();

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var session in sessions)
        {
            table.Add(table.HashOf(session.PeerAddr, session.LocalAddr), session);
        }

        var bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Sessions;
        Assert.Equal(Sessions, table.Count);
        Assert.InRange(bytes, 24, 16 + (2.5 * 8));   // and its place in the list, with its id
    }

    [Fact]
    public void Keys_of_one_hash_are_told_apart_and_removing_one_leaves_the_others()
    {
        using var rig = new SessionRig();
        var table = new SessionTable(rig.Random);
        var sessions = Enumerable.Range(1, 40)
            .Select(port => rig.Session(SessionRig.At($"192.0.2.1:{port}")))
            .ToArray();
        foreach (var session in sessions)
        {
            table.Add(LastPlace, session);   // the run of probes wraps around
        }

        for (var i = 0; i < sessions.Length; i += 2)
        {
            Assert.True(table.Remove(sessions[i]));
        }

        for (var i = 0; i < sessions.Length; i++)
        {
            Assert.Same(i % 2 == 0 ? null : sessions[i], table.Find(LastPlace, sessions[i].PeerAddr, default));
        }
    }

    [Theory]
    [InlineData(LastPlace)]
    [InlineData(0u)]
    public void Keys_of_one_hash_beyond_what_segments_hold_are_still_found(uint hash)
    {
        using var rig = new SessionRig();
        var table = new SessionTable(rig.Random);
        var sessions = Enumerable.Range(1, 2 * SessionTable.SegmentPlaces)
            .Select(port => rig.Session(SessionRig.At($"192.0.2.1:{port}")))
            .ToArray();
        foreach (var session in sessions)
        {
            table.Add(hash, session);   // no bit of the hash divides them
        }

        Assert.Equal(sessions.ToHashSet(), table.All().ToHashSet());
        Assert.All(sessions, session => Assert.Same(session, table.Find(hash, session.PeerAddr, default)));
        Assert.All(sessions, session => Assert.True(table.Remove(session)));
        Assert.Empty(table.All());
    }

    [Fact]
    public void Growing_moves_no_more_than_a_segment_for_any_one_session()
    {
        using var rig = new SessionRig();
        var table = new SessionTable(rig.Random);
        for (var i = 0; i < 100_000; i++)
        {
            Add(table, rig, SocketAddr.From(new IPAddress((10u) | ((uint)i << 8)), 5_000));
        }

        Assert.Equal(100_000, table.Count);
        // Two divisions in a row for one session are possible, and as rare as segments that fill on one side.
        Assert.InRange(table.MovedMost, 1, 2 * SessionTable.SegmentPlaces);
        var (total, _) = table.Probes();
        Assert.InRange(total, 100_000, 200_000);
    }

    [Fact]
    public void Keys_chosen_to_collide_probe_no_further_than_random_ones()
    {
        using var rig = new SessionRig();
        const int Keys = 50_000;
        var random = new SeededRandom(9);
        var chosen = new SessionTable(random.Fork());
        var drawn = new SessionTable(random.Fork());
        for (var i = 1; i <= Keys; i++)
        {
            // (address << 16 | port) folded to 32 bits by xor is the same for all of these: port ^ high half of
            // address.
            var high = i ^ 0x2A17;
            var address = new IPAddress([(byte)(high >> 8), (byte)high, 3, 4]);
            Add(chosen, rig, SocketAddr.From(address, i));
            var other = (uint)random.NextUInt64();
            Add(drawn, rig, SocketAddr.From(new IPAddress(other), (i * 7) & 0xFFFF));
        }

        Assert.Equal(Keys, chosen.Count);
        var (chosenTotal, chosenLongest) = chosen.Probes();
        var (drawnTotal, drawnLongest) = drawn.Probes();
        Assert.InRange(chosenTotal, Keys, drawnTotal * 1.05);
        Assert.InRange(chosenLongest, 1, 2 * drawnLongest);
        Assert.InRange(drawnTotal, Keys, 2 * Keys);   // less than one extra place per key at this load
    }

    private static void Add(SessionTable table, SessionRig rig, in SocketAddr peer)
    {
        var hash = table.HashOf(peer, default);
        if (table.Find(hash, peer, default) is null)
        {
            table.Add(hash, rig.Session(peer));
        }
    }

    private static (SocketAddr Peer, LocalAddr Local) RandomKey(SeededRandom random, int spread)
    {
        var number = random.Next(spread);
        var address = number % 3 == 0
            ? new IPAddress([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(number >> 8), (byte)number])
            : new IPAddress([10, 0, (byte)(number >> 8), (byte)number]);
        var local = number % 5 == 0 ? LocalAddr.From(new IPAddress([127, 0, 0, (byte)(1 + (number % 2))])) : default;
        return (SocketAddr.From(address, 1_000 + (number % 7)), local);
    }
}
