using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport;
using Akka.Remote.Transport.DotNetty;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Diagnostics;
using Router.Loop;

namespace Router.Cluster.Members;

/// <summary>A connection between members that TLS has refused. Published in the actor system's event stream.</summary>
/// <param name="Direction"><c>in</c> for one that came, <c>out</c> for one that this member made.</param>
/// <param name="Peer">Its address.</param>
/// <param name="Reason">In a few words.</param>
internal sealed record MemberRefused(string Direction, string Peer, string Reason);

/// <summary>Akka's transport over TCP, with TLS and certificates that both ends show and check.</summary>
/// <remarks>Akka's own part ends the actor system that it belongs to when a TLS handshake fails that it began. So any
/// member that is killed in the wrong moment, or any program that takes a member's port, would end all the members that
/// connect to it. Therefore it belongs to an actor system of its own, in which nothing runs; what it says there is told
/// as <see cref="MemberRefused"/>.</remarks>
internal sealed class MemberTransport : Transport
{
    /// <summary>The names of the PEM files, in the transport's section.</summary>
    public const string Section = "router-tls";

    private const string NoCertificate = "it shows no certificate";

    private const string InnerType = "Akka.Remote.Transport.DotNetty.TcpTransport, Akka.Remote";

    /// <summary>Reasons that wait for the handshake's end. Beyond it, a handshake that has never ended is forgotten.
    /// </summary>
    private const int ReasonsMax = 256;

    private readonly ConcurrentDictionary<string, string> _reasons = new(StringComparer.Ordinal);
    private readonly MemberCertificates _certificates;
    private readonly IReadOnlyList<string> _alsoNamed;
    private readonly ActorSystem _shell;
    private readonly Transport _inner;

    /// <summary>Called by Akka.</summary>
    /// <param name="system">The member's.</param>
    /// <param name="config"><c>akka.remote.dot-netty.tcp</c>.</param>
    public MemberTransport(ActorSystem system, Config config)
    {
        (System, Config) = (system, config);
        var files = config.GetConfig(Section);
        _alsoNamed = [.. files.GetStringList("names", [])];
        _certificates = MemberCertificates.Read(
            files.GetString("certificate"), files.GetString("key"), files.GetString("ca"), out var faults)
            ?? throw new ConfigurationException(string.Join("; ", faults.Select(static fault => fault.Message)));
        var tls = new DotNettySslSetup(
            _certificates.Own, suppressValidation: false, requireMutualAuthentication: true,
            validateCertificateHostname: false, IsMember);
        _shell = ActorSystem.Create(system.Name, ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(ShellSettings)), tls));
        _shell.EventStream.Subscribe(new TransportLog(this), typeof(Error));
        _inner = (Transport)Activator.CreateInstance(Type.GetType(InnerType, throwOnError: true)!, _shell, config)!;
    }

    private static string ShellSettings =>
        $$"""
        {{ClockScheduler.Setting}}
        akka {
          loglevel = WARNING
          loggers = []
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown {
            terminate-actor-system = off
            run-by-actor-system-terminate = off
            run-by-clr-shutdown-hook = off
            exit-clr = off
          }
        }
        """;

    public override string SchemeIdentifier => _inner.SchemeIdentifier;

    public override long MaximumPayloadBytes => _inner.MaximumPayloadBytes;

    /// <summary>What the configuration of an actor system needs to use this transport.</summary>
    /// <remarks>Akka's TLS sometimes keeps the first message of a link until something comes after it. It was seen when
    /// members start, at one link in nine: the answer to its greeting waited for the other end's first heartbeat, 4 s
    /// later by Akka's default, and the member was taken for unreachable meanwhile. Nothing else can come before that
    /// answer is read, so the heartbeat is what bounds it.</remarks>
    public static string Settings(RouterCertificates files) =>
        $$"""
        akka.remote.transport-failure-detector.heartbeat-interval = 500ms
        akka.remote.dot-netty.tcp {
          transport-class = {{HoconJson.Quote(typeof(MemberTransport).AssemblyQualifiedName!)}}
          enable-ssl = true
          {{Section}} {
            certificate = {{HoconJson.Quote(files.Certificate)}}
            key = {{HoconJson.Quote(files.Key)}}
            ca = {{HoconJson.Quote(files.Authority)}}
            names = [{{string.Join(", ", files.Names.Select(HoconJson.Quote))}}]
          }
        }
        """;

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen() => _inner.Listen();

    public override bool IsResponsibleFor(Address remote) => _inner.IsResponsibleFor(remote);

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        try
        {
            return await _inner.Associate(remoteAddress).ConfigureAwait(false);
        }
        catch (InvalidAssociationException e) when (IsOfTls(e))
        {
            _ = _reasons.TryRemove($"{remoteAddress}", out var reason);
            reason ??= $"it ended the TLS handshake, and its log may say why: {ShortOf(e)}";
            Refuse("out", MemberTable.TextOf(remoteAddress), reason);
            throw new InvalidAssociationException(reason);   // without the text of the stack
        }
    }

    public override async Task<bool> Shutdown()
    {
        var isFlushed = await _inner.Shutdown().ConfigureAwait(false);
        await _shell.Terminate().ConfigureAwait(false);
        return isFlushed;
    }

    public override Task<bool> ManagementCommand(object message) => _inner.ManagementCommand(message);

    private static bool IsOfTls(InvalidAssociationException e) =>
        e.Message.StartsWith("TLS handshake failed", StringComparison.Ordinal);

    /// <summary>The innermost message, on one line.</summary>
    private static string ShortOf(Exception e)
    {
        const int CharsMax = 160;
        var text = LineText.Escape(e.GetBaseException().Message.Split('\n')[0]);
        return text.Length <= CharsMax ? text : $"{text[..CharsMax]}...";
    }

    private void Refuse(string direction, string peer, string reason) =>
        System.EventStream.Publish(new MemberRefused(direction, peer, reason));

    /// <summary>Called by TLS on both ends. A refusal ends the handshake, and is told with that.</summary>
    /// <param name="peer">The remote actor system's address if this end has connected; else its endpoint.</param>
    private bool IsMember(
        X509Certificate2? certificate, X509Chain? chain, string peer, SslPolicyErrors errors, ILoggingAdapter log)
    {
        var isServer = peer.Contains("://", StringComparison.Ordinal);
        var reason = certificate is null ? NoCertificate : _certificates.FaultOf(certificate, isServer);
        if (reason is null && isServer)
        {
            var host = Address.Parse(peer).Host;
            reason = MemberCertificates.Names(certificate!, [host, .. _alsoNamed])
                ? null
                : $"the certificate {MemberCertificates.SubjectOf(certificate!)} does not name {host}";
        }

        if (reason is not null)
        {
            if (_reasons.Count >= ReasonsMax)
            {
                _reasons.Clear();
            }

            _reasons[peer] = reason;
        }

        return reason is null;
    }

    /// <summary>Hears what Akka's part writes in its actor system: of connections that came, that they were refused;
    /// what it says of its own ones is known to <see cref="Associate"/>.</summary>
    private sealed class TransportLog(MemberTransport owner) : MinimalActorRef
    {
        public override ActorPath Path { get; } =
            ((ExtendedActorSystem)owner._shell).Provider.RootPath / "router-transport";

        public override IActorRefProvider Provider => ((ExtendedActorSystem)owner._shell).Provider;

        protected override void TellInternal(object message, IActorRef sender)
        {
            const string Server = "TcpServerHandler";
            if (message is LogEvent { Cause: { } cause, LogClass.Name: Server, Message: LogMessage text }
                && text.Format.StartsWith("TLS ", StringComparison.Ordinal)
                && text.Parameters().ToArray() is { Length: >= 2 } arguments)
            {
                var peer = $"{arguments[1]}";
                _ = owner._reasons.TryRemove(peer, out var reason);
                owner.Refuse("in", Plain(peer), reason ?? ReasonOf(cause));
            }
        }

        /// <summary>Akka refuses a peer without a certificate before <see cref="IsMember"/> is asked.</summary>
        private static string ReasonOf(Exception cause) =>
            ShortOf(cause) is var text && text.Contains("CertificateValidationCallback", StringComparison.Ordinal)
                ? NoCertificate
                : $"there is no TLS handshake with it: {text}";

        /// <summary>Without what makes an IPv4 address one of IPv6.</summary>
        private static string Plain(string endpoint) =>
            IPEndPoint.TryParse(endpoint, out var parsed) && parsed.Address.IsIPv4MappedToIPv6
                ? $"{parsed.Address.MapToIPv4()}:{parsed.Port}"
                : endpoint;
    }
}
