return await Router.Hosting.RouterRunner.RunAsync(
    args.Length > 0 ? args[0] : null, [], Console.Error, CancellationToken.None);
