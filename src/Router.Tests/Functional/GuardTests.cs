using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Datagrams nobody honest would send, and the addresses replies come from.</summary>
public sealed class GuardTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Config =
        """
        router {
          listeners {
            a { bind = "udp://127.0.0.1:47001", route = echo }
            b { bind = "udp://127.0.0.1:47002", route = echo }
            any { bind = "udp://0.0.0.0:47003", route = echo }
            any6 { bind = "udp://[::]:47004", route = echo }
          }
          routes.echo { type = echo }
        }
        """;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("127.0.0.1", 47002)]   // another echo of ours: each would answer the other for ever
    [InlineData("127.0.0.1", 47001)]   // itself
    [InlineData("127.0.0.9", 47003)]   // ours by its wildcard
    [InlineData("127.0.0.1", 47004)]   // ours by its wildcard of the other family
    public async Task A_datagram_forged_to_come_from_our_own_listener_starts_no_loop(string source, int port)
    {
        const int DatagramsMax = 16;
        var router = await RouterAsync(Config);
        var before = router.Proc.Counter("Udp", "InDatagrams");

        await ForgeAsync(new IPEndPoint(IPAddress.Parse(source), port), Client.Loopback(47001));
        await Until.TrueAsync(() => Received() >= 1, () => "the forged datagram");
        await Until.PassedAsync(Quiet);

        var soon = Received();
        Assert.InRange(soon, 1, DatagramsMax);
        await Until.PassedAsync(Quiet);
        Assert.Equal(soon, Received());

        long Received() => router.Proc.Counter("Udp", "InDatagrams") - before;
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData(7)]       // echo
    [InlineData(1023)]    // below the first unprivileged port
    [InlineData(5353)]    // multicast DNS
    public async Task A_source_port_that_answers_by_itself_is_not_answered(int port)
    {
        await RouterAsync(Config);
        using var responder = await Network.RunAsync(() => Client.Udp(47001, Client.Loopback(port)));

        await Network.RunAsync(() => responder.Send("who are you?"u8));

        // The next datagram of another peer has been answered, so this one never will be.
        await Network.RunAsync(() => Client.AnswerTime(() => Client.Udp(47001)));
        await Until.PassedAsync(Quiet);
        Assert.Equal(0, responder.Available);
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("127.0.0.2", 47003)]
    [InlineData("127.0.0.2", 47004)]
    [InlineData("::1", 47004)]
    public async Task A_reply_comes_from_the_address_the_datagram_was_sent_to(string address, int port)
    {
        await RouterAsync(Config);
        var target = new IPEndPoint(IPAddress.Parse(address), port);

        var from = await Network.RunAsync(() =>
        {
            using var client = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            client.ReceiveTimeout = 5000;
            client.SendTo("where am I?"u8, target);
            EndPoint sender = new IPEndPoint(target.Address, 0);   // replaced; gives the address family
            client.ReceiveFrom(new byte[64], ref sender);
            return sender;
        });

        Assert.Equal(target, from);
    }

    /// <summary>Sends one datagram with a source that is not the sender's: RFC 791 and RFC 768 by hand.</summary>
    private Task ForgeAsync(IPEndPoint source, IPEndPoint target) => Network.RunAsync(() =>
    {
        const int IpHeader = 20;
        const int UdpHeader = 8;
        const byte VersionAndWords = 0x45;
        const byte Ttl = 64;
        var payload = "forged"u8;
        var packet = new byte[IpHeader + UdpHeader + payload.Length];
        packet[0] = VersionAndWords;
        packet[8] = Ttl;
        packet[9] = (byte)ProtocolType.Udp;
        source.Address.GetAddressBytes().CopyTo(packet, 12);   // the kernel fills in length, id and header checksum
        target.Address.GetAddressBytes().CopyTo(packet, 16);
        var udp = packet.AsSpan(IpHeader);
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)target.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(UdpHeader + payload.Length));   // checksum 0: none
        payload.CopyTo(udp[UdpHeader..]);
        using var raw = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Raw);
        raw.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
        raw.SendTo(packet, target);
    });
}
