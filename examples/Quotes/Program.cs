using Akka.Actor;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quotes;
using Router.Hosting;

var host = Host.CreateApplicationBuilder(args);
host.Services.AddQuotes(Path.Combine(AppContext.BaseDirectory, "quotes.conf"));
await host.Build().RunAsync().ConfigureAwait(false);

namespace Quotes
{
    /// <summary>What the program consists of.</summary>
    public static class QuoteServices
    {
        /// <summary>Adds the program's actor, and the router whose sessions ask it.</summary>
        /// <param name="services">The host's.</param>
        /// <param name="configFile">The router's.</param>
        /// <param name="more">Changes what the file says.</param>
        public static IServiceCollection AddQuotes(
            this IServiceCollection services, string configFile, Action<RouterBuilder>? more = null) =>
            services.AddAkka("quotes", akka => akka
                .WithActors(static (system, registry) => registry.Register<QuoteActor>(
                    system.ActorOf(Props.Create<QuoteActor>(), "quotes")))
                .WithRouter(configFile, router =>
                {
                    router.AddHandler<QuoteHandler>("quotes");
                    more?.Invoke(router);
                }));
    }
}
