namespace Router.Actors;

/// <summary>
/// Something a dispatcher runs once, on one of its threads. The thread pool's work item too, as Akka's is: Execute runs
/// it.
/// </summary>
public interface IRunnable : IThreadPoolWorkItem
{
    void Run();
}
