namespace Router.Hosting;

/// <summary>Gives the process's thread pool a fixed number of threads, all of which exist from then on.</summary>
/// <remarks>The runtime ends the process when its pool wants a thread and the system has none, as where a child process
/// has started as many as it may. That the threads stay is a setting of the program's runtimeconfig.json,
/// System.Threading.ThreadPool.ThreadsToKeepAlive.</remarks>
internal static class PoolThreads
{
    /// <summary>Returns when the threads are there.</summary>
    /// <returns>Why they cannot be had; null if they are there.</returns>
    public static string? Fix(int threads)
    {
        threads = Math.Max(threads, Environment.ProcessorCount);   // the pool takes no fewer
        if (!CanStart(threads))
        {
            return $"the process cannot have {threads} threads more: see 'ulimit -u', TasksMax= and kernel.pid_max, "
                + "or lower router.pool-threads";
        }

        ThreadPool.GetMinThreads(out var atOnce, out var completionMin);
        ThreadPool.GetMaxThreads(out _, out var completionMax);
        ThreadPool.SetMinThreads(threads, completionMin);
        ThreadPool.SetMaxThreads(threads, completionMax);
        var others = threads - (Thread.CurrentThread.IsThreadPoolThread ? 1 : 0);
        var all = new CountdownEvent(others);   // not disposed: threads that signalled last may not wait yet
        for (var i = 0; i < others; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static all =>
                {
                    all.Signal();
                    all.Wait();   // so that each is run by a thread of its own
                },
                all,
                preferLocal: false);
        }

        all.Wait();

        // How many work at once is the runtime's choice as before, from one per processor on: the loops need those too.
        ThreadPool.SetMinThreads(atOnce, completionMin);
        ThreadPool.SetMaxThreads(atOnce, completionMax);
        ThreadPool.SetMaxThreads(threads, completionMax);
        return null;
    }

    /// <summary>Tries with threads of our own, whose failure is an exception and not the end.</summary>
    private static bool CanStart(int threads)
    {
        var started = new List<Thread>(threads);
        using var end = new ManualResetEventSlim();
        try
        {
            for (var i = 0; i < threads; i++)
            {
                var thread = new Thread(end.Wait) { IsBackground = true };
                thread.Start();
                started.Add(thread);
            }

            return true;
        }
        catch (Exception none) when (none is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
        finally
        {
            end.Set();
            started.ForEach(static thread => thread.Join());
        }
    }
}
