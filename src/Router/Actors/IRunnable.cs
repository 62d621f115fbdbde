namespace Router.Actors;

/// <summary>Something a dispatcher runs once, on one of its threads.</summary>
public interface IRunnable
{
    void Run();
}
