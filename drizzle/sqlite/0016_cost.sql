ALTER TABLE `usage` ADD `cost_nanos` integer;--> statement-breakpoint
CREATE INDEX `usage_cost` ON `usage` (`at`,`user_id`,`cost_nanos`,`duration_ms`) WHERE cost_nanos > 0;--> statement-breakpoint
ALTER TABLE `users` ADD `budget_day_micros` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `budget_month_micros` integer;