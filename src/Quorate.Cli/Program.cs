using Quorate.Cli;

// Sockets' completions run on the thread that noticed them: a hand-off less for each packet. Read at the first socket.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

using var errors = new StandardErrorWriter();
Console.SetError(errors);
return QuorateCommand.Run(args, Console.Out, errors);
