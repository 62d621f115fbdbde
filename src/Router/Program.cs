using Router.CommandLine;
using Router.Hosting;

return await new RouterCommand(Console.Out, Console.Error, RouterRunner.RunAsync).InvokeAsync(args).ConfigureAwait(false);
