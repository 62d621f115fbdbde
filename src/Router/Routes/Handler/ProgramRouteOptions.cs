using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A route of a type that the program has added: its keys are read by the program, which says what makes its
/// handlers.</summary>
/// <param name="route">The entry.</param>
/// <param name="read">Declares and reads the keys.</param>
internal sealed class ProgramRouteOptions(SectionReader route, Func<SectionReader, Func<SessionHandler>> read)
    : RouteOptions(route)
{
    private readonly Func<SessionHandler>? _create = Read(route, read);

    public override bool MayServeFlows => true;

    public override bool MayRunOnPool => true;

    /// <summary>Options that have a fault are not built.</summary>
    public override Route Build(RouteEnvironment environment) => new HandlerRoute(Name, _create!);

    /// <summary>What the program throws, or leaves out, is a fault of the entry like any other: a reload that meets it
    /// is refused, and what runs goes on.</summary>
    private static Func<SessionHandler>? Read(SectionReader route, Func<SectionReader, Func<SessionHandler>> read)
    {
        try
        {
            if (read(route) is { } create)
            {
                return create;
            }

            route.Fault("type", "the program gave nothing that makes its handlers");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            route.Fault("type", $"the program failed to read it: {failure.Message.ReplaceLineEndings(" ")}");
        }

        return null;
    }
}
