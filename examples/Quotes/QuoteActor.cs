using Akka.Actor;

namespace Quotes;

/// <summary>Asks the <see cref="QuoteActor"/> for a price; answered by a <see cref="Quote"/>.</summary>
public sealed record PriceOf(string Symbol);

/// <summary>A price in cents; null for a symbol that is not known.</summary>
public sealed record Quote(string Symbol, int? Cents);

/// <summary>A plain actor of the program: knows prices, and nothing of sessions.</summary>
public sealed class QuoteActor : ReceiveActor
{
    private readonly Dictionary<string, int> _cents = new(StringComparer.Ordinal) { ["ACME"] = 1_250, ["INIT"] = 99 };

    public QuoteActor() => Receive<PriceOf>(asked => Sender.Tell(new Quote(
        asked.Symbol, _cents.TryGetValue(asked.Symbol, out var cents) ? cents : null)));
}
