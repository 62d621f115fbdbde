using Router.Net;
using Router.Tests.Loop;

namespace Router.Tests.Net;

public sealed class PortableDatagramTests : DatagramContract
{
    protected override INetwork CreateNetwork() => new PortableNetwork();
}

public sealed class PortableStreamTests : StreamContract
{
    protected override INetwork CreateNetwork() => new PortableNetwork();
}

public sealed class PortableIoLoopTests : IoLoopContract
{
    protected override INetwork CreateNetwork() => new PortableNetwork();
}
