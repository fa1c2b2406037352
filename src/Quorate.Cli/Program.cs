using System.CommandLine;
using Quorate.Cli.Load;
using Quorate.Cli.Up;

// Socket completions run where the poll finds them: a hand-off to the pool costs more than the request does.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
var root = new RootCommand("Quorate, a distributed key-value store.") { BenchCommand.Create(), UpCommand.Create() };

// Each command that lasts takes the signals by itself and ends in its own time.
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null };
return await root.Parse(args).InvokeAsync(invocation).ConfigureAwait(false);
