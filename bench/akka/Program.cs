using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Configuration;
using AkkaEcho;

// UDP echo by Akka.IO with an actor per peer, as its documentation has it: AkkaEcho PORT.
var port = int.Parse(args[0], CultureInfo.InvariantCulture);
using var system = ActorSystem.Create("echo", ConfigurationFactory.ParseString("akka.loglevel = WARNING"));
system.ActorOf(Props.Create(() => new Listener(new IPEndPoint(IPAddress.Loopback, port))), "listener");
await system.WhenTerminated;
