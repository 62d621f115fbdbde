namespace Router.Tests.Cluster.Simulation;

/// <summary>Stands for something in the simulation.</summary>
internal sealed class SimRef(Address at, string name, object target) : MinimalActorRef
{
    public object Target => target;

    public override ActorPath Path { get; } = new RootActorPath(at) / name;

    public override IActorRefProvider Provider => throw new NotSupportedException("nobody tells a SimRef");
}
