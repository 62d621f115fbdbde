using System.Security.Cryptography;
using System.Text;
using Router.Cluster.Members;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Diagnostics;
using Router.Hosting;
using Router.Net;

namespace Router.CommandLine;

/// <summary><c>router cluster certificates</c>: makes what members need to trust one another.</summary>
internal sealed class ClusterCertificates(TextWriter output, TextWriter error, TimeProvider time)
{
    public const int DaysMax = 3_650;

    private const string AuthorityFile = "ca.pem";
    private const string AuthorityKeyFile = "ca-key.pem";
    private const int BytesMax = 1 << 20;
    private const int Port = 27_200;   // reference.conf's

    /// <summary>Makes an authority, unless there is one, and a certificate with its key for each host.</summary>
    /// <param name="folder">Made if it is not there. Nothing in it is replaced.</param>
    /// <param name="authorityFolder">Where an earlier run has left its authority; null for a new one.</param>
    /// <param name="hosts">Addresses and names that members are reached at.</param>
    /// <param name="days">How long the members' certificates are valid.</param>
    /// <returns>The exit code.</returns>
    public int Run(string folder, string? authorityFolder, IReadOnlyList<string> hosts, int days)
    {
        try
        {
            using var authority = authorityFolder is null
                ? MemberAuthority.Make(time, RandomSource.System)
                : ReadAuthority(authorityFolder);
            if (authority is null)
            {
                return RouterRunner.ExitRefused;
            }

            const string Authority = "the authority";
            var files = new List<NewFile>();
            if (authorityFolder is null)
            {
                files.Add(new NewFile(AuthorityKeyFile, authority.Key, Authority, IsSecret: true));
            }

            // Beside an earlier run's members it is there already.
            var shown = new NewFile(AuthorityFile, authority.Certificate, Authority, IsSecret: false);
            if (authorityFolder is null || !IsThere(folder, shown))
            {
                files.Add(shown);
            }

            foreach (var host in hosts)
            {
                var (certificate, key) = authority.MakeMember(host, time, TimeSpan.FromDays(days));
                files.Add(new NewFile(CertificateFile(host), certificate, $"HOST {host}", IsSecret: false));
                files.Add(new NewFile(KeyFile(host), key, $"HOST {host}", IsSecret: true));
            }

            return AreDistinct(files) && Write(folder, files)
                ? Explain(folder, authorityFolder, hosts)
                : RouterRunner.ExitRefused;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(LineText.Escape(e.Message));
            return RouterRunner.ExitRefused;
        }
    }

    /// <summary>What is no host, or null.</summary>
    public static string? FaultOf(string host) =>
        Uri.CheckHostName(host) == UriHostNameType.Unknown || host.Contains('[', StringComparison.Ordinal)
            ? $"'{LineText.Escape(host)}' is neither an address nor a name; a HOST is what the other members connect "
                + "to, without a port"
            : null;

    private static string CertificateFile(string host) => $"{FileName(host)}.pem";

    private static string KeyFile(string host) => $"{FileName(host)}-key.pem";

    private static string FileName(string host) => host.Replace(':', '-');

    private MemberAuthority? ReadAuthority(string folder)
    {
        try
        {
            var authority = MemberAuthority.Of(
                TextOf(folder, AuthorityFile), TextOf(folder, AuthorityKeyFile), RandomSource.System);
            if (authority.FaultAt(time.GetUtcNow()) is not { } fault)
            {
                return authority;
            }

            authority.Dispose();
            var file = Path.Combine(folder, fault.IsOfKey ? AuthorityKeyFile : AuthorityFile);
            error.WriteLine(LineText.Escape(
                $"{file}: {fault.Text}; wanted are {AuthorityFile} and {AuthorityKeyFile} as an earlier run has made "
                + "them: without --ca a new authority is made"));
            return null;
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            error.WriteLine(LineText.Escape(
                $"--ca {folder}: {AuthorityFile} and {AuthorityKeyFile} of an earlier run are wanted: {e.Message}"));
            return null;
        }
    }

    private static bool IsThere(string folder, NewFile file) =>
        Path.Exists(Path.Combine(folder, file.Name)) && TextOf(folder, file.Name).Trim() == file.Text;

    private static string TextOf(string folder, string name) => Encoding.Latin1.GetString(
        RegularFile.Read(Path.GetFullPath(Path.Combine(folder, name)), BytesMax) ?? []);

    /// <summary>Two of one name would end a run half way. File systems may take small and capital letters as one.
    /// </summary>
    private bool AreDistinct(List<NewFile> files)
    {
        var twice = files.GroupBy(static file => file.Name, StringComparer.OrdinalIgnoreCase)
            .Where(static group => group.Count() > 1)
            .ToList();
        foreach (var group in twice)
        {
            error.WriteLine(LineText.Escape(
                $"{group.Key} would be the file of {string.Join(" and of ", group.Select(static file => file.For))}; "
                + "nothing is written: leave one of them out, and make it by --ca in a folder of its own"));
        }

        return twice.Count == 0;
    }

    private bool Write(string folder, List<NewFile> files)
    {
        var there = files.Where(file => Path.Exists(Path.Combine(folder, file.Name))).ToList();
        foreach (var file in there)
        {
            var more = file.Name == AuthorityKeyFile ? $"; --ca {folder} has its authority make more members" : "";
            error.WriteLine(LineText.Escape($"{Path.Combine(folder, file.Name)} is there, and stays as it is{more}"));
        }

        if (there.Count > 0)
        {
            return false;
        }

        Directory.CreateDirectory(folder);
        foreach (var file in files)
        {
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            const UnixFileMode All = Owner | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = file.IsSecret ? Owner : All;
            }

            using var stream = new FileStream(Path.Combine(folder, file.Name), options);
            stream.Write(Encoding.ASCII.GetBytes(file.Text + "\n"));
        }

        return true;
    }

    private int Explain(string folder, string? authorityFolder, IReadOnlyList<string> hosts)
    {
        var full = Path.GetFullPath(folder);
        var seeds = string.Join(", ", hosts.Select(host => $"\"{new ClusterAddress(host, Port)}\""));
        foreach (var host in hosts)
        {
            output.WriteLine($"# {host} needs these three files, wherever it has them");
            output.WriteLine("router.cluster {");
            output.WriteLine($"  host = {HoconJson.Quote(host)}");
            output.WriteLine(authorityFolder is null ? $"  seeds = [{seeds}]" : "  # seeds as on the other members");
            output.WriteLine("  tls {");
            output.WriteLine($"    certificate = {HoconJson.Quote(Path.Combine(full, CertificateFile(host)))}");
            output.WriteLine($"    key = {HoconJson.Quote(Path.Combine(full, KeyFile(host)))}");
            output.WriteLine($"    ca = {HoconJson.Quote(Path.Combine(full, AuthorityFile))}");
            output.WriteLine("  }");
            output.WriteLine("}");
        }

        var secret = Path.Combine(Path.GetFullPath(authorityFolder ?? folder), AuthorityKeyFile);
        output.WriteLine($"# Whoever has {secret} makes members: keep it away from all of them.");
        return RouterRunner.ExitOk;
    }

    /// <param name="For">Whose it is.</param>
    private sealed record NewFile(string Name, string Text, string For, bool IsSecret);
}
