using BenchmarkDotNet.Running;
using Router.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(KernelBenchmarks).Assembly).Run(args);
