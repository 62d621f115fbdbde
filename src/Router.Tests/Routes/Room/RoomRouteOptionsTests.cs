using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class RoomRouteOptionsTests
{
    [Theory]
    [InlineData("127.0.0.1", "join = handler", "class", "one of the two")]
    [InlineData("127.0.0.1", "join = handler, class = \"A, B\", name = x", "name", "one of the two")]
    [InlineData("127.0.0.1", "name = x", "name", "set join = handler")]
    [InlineData("127.0.0.1", "join = luck", "join", "'luck' is none of listener, first-payload, handler")]
    [InlineData("127.0.0.1", "validate = token", "token", "a token of 1 to 64 bytes")]
    [InlineData("127.0.0.1", "token = x", "token", "set validate = token")]
    [InlineData("127.0.0.1", "allow-unvalidated = \"10.0.0.0/8\"", "allow-unvalidated", "set validate = none")]
    [InlineData("10.0.0.1", "validate = none", "validate", "use round-trip or token")]
    [InlineData("127.0.0.1", "validate = none, allow-unvalidated = ten", "allow-unvalidated", "is not a network")]
    [InlineData("127.0.0.1", "max-members = 0", "max-members", "is not within")]
    [InlineData("127.0.0.1", "max-payload = 65508", "max-payload", "is not within")]
    public void A_room_route_is_refused_for(string address, string keys, string key, string words) =>
        Loaded.Refuses(
            Loaded.Pair($"bind = \"udp://{address}:1\"", $"type = room\n {keys}"), $"router.routes.r.{key}", words);

    [Theory]
    [InlineData("udp://127.0.0.1:1", "validate = none")]
    [InlineData("tcp://0.0.0.0:1", "validate = none")]
    [InlineData("udp://0.0.0.0:1", "validate = none, allow-unvalidated = [\"10.0.0.0/8\", \"fd00::/8\"]")]
    [InlineData("udp://0.0.0.0:1", "validate = token, token = secret")]
    [InlineData("udp://0.0.0.0:1", "join = handler, name = x")]
    public void And_accepted_otherwise(string bind, string keys) =>
        Assert.Empty(Loaded.Pair($"bind = \"{bind}\"", $"type = room, {keys}").Faults);
}
