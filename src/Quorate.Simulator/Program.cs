using Quorate.Simulator;

return SimulatorCommand.Run(args, Console.Out, Console.Error);
