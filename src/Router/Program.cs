using Router.CommandLine;
using Router.Hosting;

// Before anything else: a signal that comes while the program starts must not end it.
using var signals = RouterCommand.IsRun(args) ? new ProcessSignals() : null;
var command = new RouterCommand(
    Console.Out, Console.Error,
    (file, settings, errors) => RouterRunner.RunAsync(file, settings, errors, signals!),
    TimeProvider.System);
return await command.InvokeAsync(args).ConfigureAwait(false);

/// <summary>The service; a program that uses the library has one of its own.</summary>
internal sealed partial class Program;
