using Router.CommandLine;
using Router.Hosting;

var command = new RouterCommand(Console.Out, Console.Error, RouterRunner.RunAsync);
return await command.InvokeAsync(args).ConfigureAwait(false);
