using System.Globalization;
using System.Text;
using Akka.Actor;
using Akka.Hosting;
using Router.Sessions;

namespace Quotes;

/// <summary>A datagram is a symbol; its answer is the price that the program's actor knows. One instance per
/// session.</summary>
/// <param name="quotes">The actor, from the host's services.</param>
public sealed class QuoteHandler(IRequiredActor<QuoteActor> quotes) : SessionHandler
{
    /// <summary>Questions that one peer may have open: the actor's mailbox has no limit of its own.</summary>
    private const int OpenMax = 16;

    private const int SymbolBytesMax = 16;

    private readonly IActorRef _quotes = quotes.ActorRef;
    private int _open;

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (payload.Length > SymbolBytesMax || _open == OpenMax)
            {
                continue;   // UDP: who wants an answer asks again
            }

            _open++;
            _quotes.Tell(new PriceOf(Encoding.ASCII.GetString(payload)), session.Self);   // the sender is always said
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is Quote quote)
        {
            _open--;
            var price = quote.Cents is { } cents
                ? (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture)
                : "unknown";
            session.Reply(Encoding.ASCII.GetBytes($"{quote.Symbol} {price}"));
        }
    }
}
