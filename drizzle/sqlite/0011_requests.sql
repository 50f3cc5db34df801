CREATE TABLE `traffic` (
	`step_ms` integer NOT NULL,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`name` text NOT NULL,
	`run` text NOT NULL,
	`expires_at` integer NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `traffic_step` ON `traffic` (`step_ms`,`kind`,`at`,`name`,`run`);--> statement-breakpoint
CREATE INDEX `traffic_expires_at` ON `traffic` (`expires_at`);--> statement-breakpoint
ALTER TABLE `usage` ADD `agent_name` text;--> statement-breakpoint
ALTER TABLE `usage` ADD `error` text;--> statement-breakpoint
ALTER TABLE `usage` ADD `failures` text;--> statement-breakpoint
ALTER TABLE `usage` ADD `is_affine` integer;--> statement-breakpoint
CREATE INDEX `usage_failed_at` ON `usage` (`at`) WHERE outcome <> 'ok';