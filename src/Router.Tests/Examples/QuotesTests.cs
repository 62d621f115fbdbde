using System.Net.Sockets;
using System.Text;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quotes;
using Router.Hosting;
using Router.TestKit;

namespace Router.Tests.Examples;

/// <summary>The example program: on a real socket as it is configured, and its handler in a kit.</summary>
public sealed class QuotesTests
{
    private const int Patience = 30_000;   // ms

    [Fact]
    public async Task The_program_answers_by_udp_what_its_actor_knows()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddQuotes(
            Path.Combine(AppContext.BaseDirectory, "quotes.conf"),
            static router => router
                .Set("router.listeners.quotes.bind=\"udp://127.0.0.1:0\"")
                .Set("router.drain-timeout=0s"));
        using var host = builder.Build();
        await host.StartAsync();
        var system = host.Services.GetRequiredService<ActorSystem>();
        var engine = ((RouterControl)system.GetRouterControl("router")).Engine!;

        using var udp = new Socket(SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = Patience };
        udp.Connect(engine.Bound[0].Address.ToIPEndPoint());
        Assert.Equal("ACME 12.50", Ask("ACME"));
        Assert.Equal("NONE unknown", Ask("NONE"));
        await host.StopAsync();

        string Ask(string symbol)
        {
            udp.Send(Encoding.ASCII.GetBytes(symbol));
            Span<byte> answer = stackalloc byte[64];
            return Encoding.ASCII.GetString(answer[..udp.Receive(answer)]);
        }
    }

    [Fact]
    public void Its_handler_asks_an_actor_and_answers_with_what_comes_back()
    {
        using var kit = new RouterTestKit(seed: 1);
        var asked = new List<PriceOf>();
        var quotes = new Known(kit.Sys.ActorOf(Props.Create(() => new Clerk(asked))));
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(() => new QuoteHandler(quotes)));
        peer.Send("ACME"u8);
        peer.Send("longer than any symbol"u8);
        kit.RunUntilIdle();

        Assert.Equal([new PriceOf("ACME")], asked);
        Assert.Equal(["ACME 0.01"], peer.ReceivedText);
    }

    [Fact]
    public void Its_handler_has_only_so_many_questions_open()
    {
        using var kit = new RouterTestKit(seed: 1);
        var quotes = new Known(kit.Sys.DeadLetters);   // never answers
        var listener = kit.BindUdp(() => new QuoteHandler(quotes));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        var lost = new List<object>();
        kit.Sys.EventStream.Subscribe(kit.Sys.ActorOf(Props.Create(() => new Lost(lost))), typeof(DeadLetter));
        for (var i = 0; i < 20; i++)
        {
            peer.Send("ACME"u8);
        }

        kit.RunUntilIdle();

        Assert.Equal(16, lost.OfType<PriceOf>().Count());
    }

    private sealed class Known(IActorRef actor) : IRequiredActor<QuoteActor>
    {
        public IActorRef ActorRef => actor;

        public Task<IActorRef> GetAsync(CancellationToken cancellationToken = default) => Task.FromResult(actor);
    }

    /// <summary>Knows one price for everything.</summary>
    private sealed class Clerk : ReceiveActor
    {
        public Clerk(List<PriceOf> asked) => Receive<PriceOf>(question =>
        {
            asked.Add(question);
            Sender.Tell(new Quote(question.Symbol, 1));
        });
    }

    private sealed class Lost : ReceiveActor
    {
        public Lost(List<object> lost) => Receive<DeadLetter>(letter => lost.Add(letter.Message));
    }
}
