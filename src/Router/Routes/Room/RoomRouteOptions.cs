using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

internal sealed class RoomRouteOptions : RouteOptions
{
    private readonly string? _class;
    private readonly string? _name;
    private readonly ProofOptions _proof;

    public RoomRouteOptions(SectionReader route)
        : base(route)
    {
        _class = route.OptionalText("class", Reload.NewSessions);
        _name = route.OptionalText("name", Reload.NewSessions);
        _proof = new ProofOptions(route);
        Settings = new RoomSettings(
            Entry: route.Choice<RoomEntry>("join", Reload.NewSessions),
            ToSender: route.Bool("to-sender", Reload.NewSessions),
            RoomsMax: route.Int("max-rooms", 1, 1_000_000, Reload.NewSessions),
            MembersMax: route.Int("max-members", 1, 100_000, Reload.NewSessions),
            PayloadMax: route.Size("max-payload", 64, 65_507, Reload.NewSessions),
            Buffer: route.Size("buffer", 256 << 10, 1 << 30, Reload.NewSessions),
            WhenSlow: route.Choice<RoomWhenSlow>("when-slow", Reload.NewSessions),
            _proof.Validation,
            Span: route.Choice<RoomExtent>("span", Reload.NewSessions));
    }

    public RoomSettings Settings { get; }

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var asks = Settings.Entry == RoomEntry.Handler;
        if (asks && _class is null == _name is null)
        {
            yield return Section.FaultAt(_class is null ? "class" : "name",
                "join = handler needs class = \"Namespace.Type, Assembly\" or the name given to AddRoomJoin, "
                + "one of the two");
        }
        else if (!asks && (_class ?? _name) is not null)
        {
            yield return Section.FaultAt(_class is null ? "name" : "class", "nothing asks for it; set join = handler");
        }

        foreach (var fault in _proof.Check(context, this, "have a whole room send to it"))
        {
            yield return fault;
        }
    }

    public override Route? Build(RouteEnvironment environment)
    {
        if (Settings.Entry != RoomEntry.Handler)
        {
            return new RoomRoute(Name, Settings);
        }

        return environment.Find<RoomJoin>(this, "room join", _name, _class) is { } join
            ? new RoomRoute(Name, Settings, join)
            : null;
    }
}
