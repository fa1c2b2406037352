Console.WriteLine("The simulator is being built.");
return 0;
