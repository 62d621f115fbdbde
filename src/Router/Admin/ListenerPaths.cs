using Microsoft.AspNetCore.Http;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Admin;

/// <summary>The listeners: what they are doing, and the drain of one.</summary>
internal sealed class ListenerPaths(AdminHost host)
{
    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/listeners", "listeners", "listeners with their addresses and sessions", ListAsync)
        {
            Result = typeof(ListenersReport),
        },
        new(HttpMethods.Post, "/listeners/{name}/drain", "listener-drain",
            "takes no new sessions, and asks the open ones to end", request => SetAsync(request, isDraining: true))
        {
            Result = typeof(ListenersReport),
        },
        new(HttpMethods.Post, "/listeners/{name}/resume", "listener-resume",
            "takes new sessions again", request => SetAsync(request, isDraining: false))
        {
            Result = typeof(ListenersReport),
        },
    ];

    private static string StateOf(IReadOnlyList<Shard> shards) =>
        shards.Any(static shard => shard.EndReason == CloseReason.ListenerRemoved) ? "removed"
        : shards.Any(static shard => shard.IsDraining)
            ? shards.Any(static shard => Volatile.Read(ref shard.SessionsOpen) > 0) ? "draining" : "drained"
        : shards.Any(static shard => shard.IsSocketClosed) ? "lost"
        : "serving";

    private static string TextOf(Shard shard) => shard.Address is { IsUnix: true } unix
        ? $"{SchemeOf(unix)}://{UnixAddress.NameOf(unix)}"
        : $"{(shard is DatagramShard ? "udp" : "tcp")}://{shard.Address}";

    private static string SchemeOf(in SocketAddr unix) => unix.UnixType switch
    {
        UnixSocketType.Stream => "unix",
        UnixSocketType.Packet => "unixpacket",
        _ => "unixgram",
    };

    private ListenersReport Read() => new(
    [
        .. from each in host.Engine.Stats.ReadShards()
           group each.Shard by each.Listener into listener
           let shards = listener.ToList()
           select new ListenerReport(
               listener.Key,
               StateOf(shards),
               shards[0].Route.Name,
               shards.Sum(static shard => Volatile.Read(ref shard.SessionsOpen)),
               shards[0].Settings.MaxSessions,
               [
                   .. from shard in shards
                      group shard by TextOf(shard) into address
                      select new ListenerAddressReport(
                          address.Key,
                          StateOf([.. address]),
                          address.Sum(static shard => Volatile.Read(ref shard.SessionsOpen))),
               ]),
    ]);

    private Task ListAsync(AdminRequest request) => request.ReplyAsync(Read(), AdminJson.Default.ListenersReport);

    private async Task SetAsync(AdminRequest request, bool isDraining)
    {
        var name = request.Part("name");
        var isFound = await host.Engine.SetListenerDrainAsync(name, isDraining, request.End).ConfigureAwait(false);
        request.LogChange(
            isDraining ? "listener-drain" : "listener-resume", name, null, isFound ? "done" : "not-found");
        if (!isFound)
        {
            throw new AdminFault(
                StatusCodes.Status404NotFound, "There is no such listener",
                $"'{name}' serves nothing; /listeners lists those that do");
        }

        await ListAsync(request).ConfigureAwait(false);
    }
}

internal sealed record ListenersReport(IReadOnlyList<ListenerReport> Listeners);

/// <param name="State"><c>serving</c>; <c>draining</c> or, without sessions, <c>drained</c>; <c>removed</c> by a
/// reload; <c>lost</c>: an address is not bound, and is tried for.</param>
internal sealed record ListenerReport(
    string Name, string State, string Route, int Sessions, int MaxSessions,
    IReadOnlyList<ListenerAddressReport> Addresses);

internal sealed record ListenerAddressReport(string Address, string State, int Sessions);
