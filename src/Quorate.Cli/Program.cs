using Quorate.Cli;

// Socket completions run where the poll finds them: a hand-off to the pool costs more than the request does.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
return await QuorateCommand.Run(args, Console.Out, Console.Error).ConfigureAwait(false);
