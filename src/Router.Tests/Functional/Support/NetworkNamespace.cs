using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Router.Tests.Functional;

/// <summary>A network of the test's own: every port is free, nothing leaves the machine.</summary>
/// <remarks>
/// A network namespace belongs to a thread (unshare(2)): sockets made on <see cref="RunAsync{T}"/> and processes
/// started there live in it, whoever uses them afterwards. Programs are started with a parent-death signal, which the
/// kernel sends when that very thread ends (prctl(2)): none outlives the namespace, even if the test process is killed.
/// </remarks>
internal sealed class NetworkNamespace : IDisposable
{
    private const nuint SetInterfaceFlags = 0x8914;   // SIOCSIFFLAGS
    private const short InterfaceUp = 1;
    private const ulong LoopbackName = 'l' | ('o' << 8);

    /// <summary>Away from the ports of the tests' servers, which an outgoing socket could take before them.</summary>
    private const string PortsOfClients = "49152 65535";

    private static readonly Lazy<bool> Available = new(() =>
    {
        try
        {
            using var probe = new NetworkNamespace();
            return true;
        }
        catch (Exception e) when (e is Win32Exception or PlatformNotSupportedException)
        {
            return false;
        }
    });

    private readonly BlockingCollection<Action> _work = new(boundedCapacity: 64);
    private readonly Thread _thread;

    public NetworkNamespace()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _thread = new Thread(() => Live(started)) { IsBackground = true, Name = "network namespace" };
        _thread.Start();
        started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Whether this process may make one.</summary>
    public static bool IsAvailable => Available.Value;

    /// <summary>Runs the function on the namespace's thread, one after another. It may block a while.</summary>
    public Task<T> RunAsync<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>As the other, for work without a result.</summary>
    public Task RunAsync(Action action) => RunAsync(() =>
    {
        action();
        return true;
    });

    /// <summary>Sets a figure of the namespace's own under /proc/sys/net.</summary>
    public Task SetAsync(string name, string value) =>
        RunAsync(() => File.WriteAllText("/proc/sys/net/" + name.Replace('.', '/'), value));

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private static void Enter()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("network namespaces are Linux's");
        }

        if (TestLibc.Unshare(TestLibc.CloneNewNet) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        try
        {
            File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", PortsOfClients);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Read-only in some containers: then a server meets its port taken once in very many runs.
        }

        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var request = new TestLibc.InterfaceRequest { Name = LoopbackName, Flags = InterfaceUp };
        if (TestLibc.SetInterface(socket.Handle, SetInterfaceFlags, ref request) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private void Live(TaskCompletionSource started)
    {
        try
        {
            Enter();
        }
        catch (Exception e)
        {
            started.SetException(e);
            return;
        }

        started.SetResult();
        foreach (var work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }
}
