using System.Globalization;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>
/// The file of a bound unix socket: made with its owner and mode before anybody can use it, in the place of a stale one
/// if there is one, and removed if it is still ours.
/// </summary>
/// <remarks>
/// A file is stale if connecting to it is refused: nobody has that socket. So that two routers that find a stale one do
/// not remove each other's, whoever binds a path holds a lock meanwhile, PATH.lock by flock(2), and what is bound under
/// it also listens before it is released.
/// </remarks>
internal sealed unsafe class UnixSocketFile
{
    private const int BindsMax = 2;
    private const uint LockMode = 0x180;   // 0600

    private readonly string _path;
    private readonly FileFacts _facts;

    private UnixSocketFile(string path, in FileFacts facts)
    {
        _path = path;
        _facts = facts;
    }

    /// <summary>Binds a socket to its address, has it made ready, and opens it to those who may use it.</summary>
    /// <param name="calls">The system calls.</param>
    /// <param name="fd">The socket to bind.</param>
    /// <param name="address">A path, or an abstract name, which has no file.</param>
    /// <param name="options">The file's mode and owner.</param>
    /// <param name="ready">Makes the bound socket listen; returns 0 or a negative errno.</param>
    /// <param name="file">The file that was made; null for an abstract name.</param>
    /// <returns>0, or a negative errno, and then nothing is left behind: -EADDRINUSE if another process has the path or
    /// is about to bind it, -ENOTSOCK if the file there is no socket.</returns>
    public static int Bind(
        LinuxCalls calls,
        int fd,
        in SocketAddr address,
        UnixFileOptions options,
        Func<int> ready,
        out UnixSocketFile? file)
    {
        file = null;
        if (UnixSocketName.PathOf(address) is not { } path)
        {
            var bound = BindName(calls, fd, address);
            return bound < 0 ? bound : ready();
        }

        var result = TakeLock(path, out var held);
        if (result < 0)
        {
            return result;
        }

        // Linux makes the file with the mode of the socket's own inode: with none nobody can use it meanwhile.
        result = Result(LibcUnix.ChangeMode(fd, 0));
        result = result < 0 ? result : BindPath(calls, fd, address, path);
        if (result >= 0)
        {
            result = OpenToUsers(path, options, out file);
            result = result < 0 ? result : ready();
            if (result < 0)
            {
                file?.Remove();
                file = null;
            }
        }

        _ = LibcUnix.Unlink(LockOf(path));
        calls.Close(held);
        return result;
    }

    /// <summary>Removes the file, unless another is there by now. Called before the socket is closed, since until then
    /// nobody takes the file for stale.</summary>
    public void Remove()
    {
        if (Look(_path, out var facts) >= 0 && facts.IsSameFile(_facts))
        {
            _ = LibcUnix.Unlink(_path);
        }
    }

    private static int BindName(LinuxCalls calls, int fd, in SocketAddr address)
    {
        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        var length = UnixSocketName.Write(address, raw);
        return length < 0 ? length : calls.Bind(fd, raw, length);
    }

    private static int BindPath(LinuxCalls calls, int fd, in SocketAddr address, string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = BindName(calls, fd, address);
            if (result != -(int)Errno.EADDRINUSE || attempt == BindsMax)
            {
                return result;
            }

            result = RemoveStale(calls, address, path);
            if (result < 0)
            {
                return result;
            }
        }
    }

    private static int RemoveStale(LinuxCalls calls, in SocketAddr address, string path)
    {
        if (Look(path, out var facts) < 0)
        {
            return 0;   // it is gone by itself
        }

        if (!facts.IsSocket)
        {
            return -(int)Errno.ENOTSOCK;
        }

        return Probe(calls, address) switch
        {
            -(int)Errno.ECONNREFUSED => Result(LibcUnix.Unlink(path)),
            -(int)Errno.ENOENT => 0,
            -(int)Errno.EACCES => -(int)Errno.EACCES,
            _ => -(int)Errno.EADDRINUSE,   // taken, full, of another kind, or connected to somebody: it lives
        };
    }

    private static int Probe(LinuxCalls calls, in SocketAddr address)
    {
        var fd = calls.Socket(
            SocketAddr.FamilyUnix, (int)address.UnixType | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (fd < 0)
        {
            return fd;
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        var result = calls.Connect(fd, raw, UnixSocketName.Write(address, raw));
        calls.Close(fd);
        return result;
    }

    /// <summary>Gives the file its owner, then its mode. It does so through a descriptor, so that nothing that was put
    /// in the file's place gets them.</summary>
    private static int OpenToUsers(string path, UnixFileOptions options, out UnixSocketFile? file)
    {
        file = null;
        var fd = Result(LibcUnix.Open(
            path, LibcUnix.OpenPath | LibcUnix.OpenNoFollow | LibcUnix.OpenCloseOnExec, 0));
        if (fd < 0)
        {
            return fd;
        }

        FileFacts facts;
        var result = Result(LibcUnix.Stat(fd, "", LibcUnix.AtEmptyPath, LibcUnix.StatBasic, &facts));
        result = result < 0 || facts.IsSocket ? result : -(int)Errno.ENOTSOCK;
        if (result >= 0)
        {
            file = new UnixSocketFile(path, facts);
            result = options is { Owner: < 0, Group: < 0 } ? 0 : Result(LibcUnix.ChangeOwner(
                fd, "", options.Owner, options.Group, LibcUnix.AtEmptyPath));
            var link = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{fd}");
            result = result < 0 ? result : Result(LibcUnix.ChangeMode(link, (uint)options.Mode));
        }

        _ = Libc.Close(fd);
        return result;
    }

    /// <summary>Takes PATH.lock. Whoever held it removes its file, so a lock that was taken after that does not count:
    /// then another is taken.</summary>
    private static int TakeLock(string path, out int fd)
    {
        while (true)
        {
            fd = Result(LibcUnix.Open(
                LockOf(path),
                LibcUnix.OpenCreate | LibcUnix.OpenReadWrite | LibcUnix.OpenNoFollow | LibcUnix.OpenCloseOnExec,
                (int)LockMode));
            if (fd < 0)
            {
                return fd;
            }

            var result = Result(LibcUnix.Lock(fd, LibcUnix.LockExclusive | LibcUnix.LockNonBlock));
            if (result < 0)
            {
                _ = Libc.Close(fd);
                return result == -(int)Errno.EAGAIN ? -(int)Errno.EADDRINUSE : result;
            }

            FileFacts mine;
            if (LibcUnix.Stat(fd, "", LibcUnix.AtEmptyPath, LibcUnix.StatBasic, &mine) == 0
                && Look(LockOf(path), out var named) >= 0 && named.IsSameFile(mine))
            {
                return 0;
            }

            _ = Libc.Close(fd);
        }
    }

    private static string LockOf(string path) => path + ".lock";

    private static int Look(string path, out FileFacts facts)
    {
        fixed (FileFacts* room = &facts)
        {
            return Result(LibcUnix.Stat(
                LibcUnix.AtCurrentDirectory, path, LibcUnix.AtSymlinkNoFollow, LibcUnix.StatBasic, room));
        }
    }

    private static int Result(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;
}
