using Microsoft.AspNetCore.Http;
using Router.Admin;
using Router.TestKit.Simulation;
using EventStream = Router.Admin.EventStream;

namespace Router.Tests.Admin;

/// <summary>What is sent as it happens.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public async Task A_client_that_takes_nothing_is_given_up()
    {
        var time = new VirtualTimeProvider();
        var http = new DefaultHttpContext { Response = { Body = new FullStream() } };
        var host = new AdminHost(null!, null!, null!, time, null, static () => { });
        var sending = EventStream.Begin(new AdminRequest(http, host, CancellationToken.None)).SendAsync(default);

        time.Advance(EventStream.SendTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(sending.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => sending.WaitAsync(TimeSpan.FromSeconds(10)));   // else it would hang where it is not given up
    }

    /// <summary>Has no room, and never gets any.</summary>
    private sealed class FullStream : MemoryStream
    {
        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
    }
}
